"""News as the public pages list it: what tells the same is shown once, with the sentence that shows why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.core.languages import Language
from monitor.matching.excerpt import Excerpt, excerpt
from monitor.store.matches import LoggedMatch


@dataclass(frozen=True, slots=True)
class ShownNews:
    """A piece of news: the match that leads, its sentence, all its topics, and who else published the same."""

    match: LoggedMatch
    shown: Excerpt
    topics: tuple[tuple[str, str], ...]
    also: tuple[LoggedMatch, ...]


def show_news(logged: Iterable[LoggedMatch], names: Mapping[str, str], language: Language) -> Iterator[ShownNews]:
    """The news of these matches, each story once, in their order.

    Args:
        logged: Matches, the latest published first.
        names: The topics' names by id; others are not named.
        language: The reader's: what is written in it leads a story.
    """
    stories: dict[tuple[str, int], list[LoggedMatch]] = {}
    for match in logged:
        key = ("story", match.story_id) if match.story_id is not None else ("item", match.item_id)
        stories.setdefault(key, []).append(match)
    for told in stories.values():
        yield _shown(told, names, language)


def _shown(told: list[LoggedMatch], names: Mapping[str, str], language: Language) -> ShownNews:
    best = sorted(told, key=lambda match: (match.document.language is not language, -match.score))
    lead = best[0]
    topics = dict.fromkeys(match.topic for match in best if match.topic in names)
    others = {match.item_id: match for match in best if match.item_id != lead.item_id}
    return ShownNews(
        lead,
        excerpt(lead.document, lead.evidence),
        tuple((topic, names[topic]) for topic in topics),
        tuple(sorted(others.values(), key=_published)),
    )


def _published(match: LoggedMatch) -> datetime:
    return match.news_at
