"""What a digest says: the ledger's matches become sections of pillars and topics (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial

from monitor import translations
from monitor.core.languages import Language, primary_language
from monitor.core.nouns import Topic
from monitor.digests.content import (
    ChangedStory,
    Coverage,
    DigestContent,
    Link,
    Mention,
    PillarSection,
    Sender,
    Span,
    Story,
    TopicSection,
    Twin,
)
from monitor.digests.facts import Facts
from monitor.digests.shelf import Group, Shelf
from monitor.matching.excerpt import excerpt
from monitor.store.digests import ChangedItem
from monitor.store.matches import LoggedMatch
from monitor.store.personal import FoundItem


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses in a digest that are its reader's own."""

    manage: str
    unsubscribe: str
    web: str


def digest_content(
    facts: Facts, language: Language, zone: str, *, sender: Sender, links: Links, shelf: Shelf
) -> DigestContent:
    """All that a digest says to its reader: by pillar and topic in the Roadmap's order, newest first.

    What the reader's own keywords found comes after the pillars.

    Args:
        facts: What there is to tell.
        language: The reader's language.
        zone: The reader's time zone.
        sender: Who mails.
        links: The reader's own addresses.
        shelf: Shared by the digests of one run.
    """
    sections = _sections(shelf, facts.topics, facts.matches, language)
    told = tuple(
        PillarSection(pillar.names[language], tuple(sections[pillar.id]))
        for pillar in facts.pillars
        if pillar.id in sections
    )
    start, end = facts.window
    return DigestContent(
        window_start=start,
        window_end=end,
        language=language,
        zone=zone,
        pillars=told + _own_section(facts.own, language),
        sender=sender,
        manage_url=links.manage,
        unsubscribe_url=links.unsubscribe,
        web_url=links.web,
        changed=tuple(map(_changed, facts.changed)),
        coverage=_coverage(facts, language),
    )


def _coverage(facts: Facts, language: Language) -> Coverage:
    seen = facts.coverage
    silent = tuple(topic.names[language] for topic in facts.topics if topic.id in facts.silent)
    return Coverage(checked=seen.checked, failing=seen.failing, quiet=seen.quiet, silent_topics=silent)


def _sections(
    shelf: Shelf, topics: Sequence[Topic], held: Mapping[str, Group], language: Language
) -> Mapping[str, Sequence[TopicSection]]:
    """The sections of each pillar; readers who share a topic's matches and a language share its section."""
    sections: dict[str, list[TopicSection]] = defaultdict(list)
    for topic in topics:
        if found := held.get(topic.id):
            key = ("section", language, found.ids)
            sections[topic.pillar].append(shelf.once(key, partial(_section, topic, found.matches, language)))
    return sections


def _changed(item: ChangedItem) -> ChangedStory:
    return ChangedStory(item.title, item.url, item.agency, item.at, item.withdrawn, primary_language(item.language))


def _section(topic: Topic, matches: Sequence[LoggedMatch], language: Language) -> TopicSection:
    newest_first = sorted(matches, key=_published, reverse=True)
    tellings: dict[tuple[str, int], list[LoggedMatch]] = defaultdict(list)
    for match in newest_first:
        tellings[("story", match.story_id) if match.story_id else ("item", match.item_id)].append(match)
    news = [group for group in tellings.values() if any(match.worthy for match in group)]
    passing = [group[0] for group in tellings.values() if not any(match.worthy for match in group)]
    stories = tuple(_told_by_all(group, language) for group in news)
    return _same(TopicSection(topic.id, topic.names[language], stories, tuple(map(_mention, passing))))


@lru_cache(maxsize=4096)
def _same(section: TopicSection) -> TopicSection:
    """The first section that said the same: what was rendered of it is found again without comparing every word."""
    return section


def _told_by_all(group: Sequence[LoggedMatch], language: Language) -> Story:
    """One story for the items that tell the same news: the reader's language leads, else who published first."""
    lead = min(group, key=lambda match: (match.document.language != language, not match.worthy, _published(match)))
    others = sorted((match for match in group if match is not lead), key=_published)
    also = {match.document.agency: match.url for match in others if match.document.agency != lead.document.agency}
    twin = lead.twins.get(language) if lead.document.language != language else None
    return replace(
        _story(lead, lead.score),
        also_from=tuple(Link(agency, url) for agency, url in also.items()),
        twin=Twin(language, lead.document.title, twin) if twin else None,
    )


def _published(match: LoggedMatch) -> datetime:
    return match.published_at or match.first_seen_at


def _own_section(found: Sequence[FoundItem], language: Language) -> tuple[PillarSection, ...]:
    by_watch: dict[int, list[FoundItem]] = defaultdict(list)
    for one in found:
        by_watch[one.hit.watch_id].append(one)
    if not by_watch:
        return ()
    name = translations.translations(language).gettext("Your own keywords")
    return (PillarSection(name, tuple(_keyword(by_watch[watch_id]) for watch_id in sorted(by_watch))),)


def _keyword(found: Sequence[FoundItem]) -> TopicSection:
    newest_first = sorted(found, key=lambda one: one.published_at or one.first_seen_at, reverse=True)
    hit = found[0].hit
    return TopicSection(f"own-{hit.watch_id}", hit.query, tuple(_story(one, None) for one in newest_first))


def _story(match: LoggedMatch | FoundItem, score: float | None) -> Story:
    found = excerpt(match.document, match.evidence)
    return Story(
        headline=match.document.title,
        url=match.url,
        agency=match.document.agency,
        country=match.document.country,
        source_language=match.document.language,
        first_seen_at=match.first_seen_at,
        published_at=match.published_at,
        # A sentence that only repeats the headline says nothing new.
        sentence=() if found.field == "title" else tuple(Span(text, marked) for text, marked in found.parts),
        terms=tuple(dict.fromkeys(evidence.term for evidence in match.evidence)),
        score=score,
    )


def _mention(match: LoggedMatch) -> Mention:
    document = match.document
    return Mention(document.title, match.url, document.agency, document.language)
