"""The subject of a digest: it says the news, "NORAD: 3, Climate: 2 – week to 22 November"."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter

from monitor import translations
from monitor.core.languages import Language
from monitor.digests.content import DigestContent, TopicSection
from monitor.letters import one_line

_ROOM = 70  # characters for the topics; a phone shows some 40 of a subject, a desk some 90
_NAME = 40
_HEADLINE = 90


def digest_subject(content: DigestContent) -> str:
    """One line of at most some 110 characters that names the topics with their counts, and the time."""
    say = translations.translations(content.language)
    news, when = _news(content).strip(), _when(content.window_start, content.window_end, content.language, content.zone)
    if not when:
        return news
    return say.gettext("%(news)s – %(when)s") % {"news": news, "when": when}


def _news(content: DigestContent) -> str:
    topics, total = content.topics, content.total
    say = translations.translations(content.language)
    if total == 0:
        return say.gettext("Nothing new")
    if total == 1 and len(topics) == 1 and topics[0].stories:
        return _headline(content, topics[0])
    by_weight = sorted(topics, key=attrgetter("total"), reverse=True)
    counts = [_count(topic.name, topic.total, content.language) for topic in by_weight if topic.total]
    lengths = accumulate(len(count) + 2 for count in counts)  # with the comma and the space after it
    shown = counts[: max(1, sum(length - 2 <= _ROOM for length in lengths))]
    rest = len(counts) - len(shown)
    if not rest:
        return ", ".join(shown)
    more = say.ngettext("%(topics)s and %(num)d more topic", "%(topics)s and %(num)d more topics", rest)
    return more % {"topics": ", ".join(shown), "num": rest}


def _headline(content: DigestContent, topic: TopicSection) -> str:
    """A single story is its own best subject, in the reader's language where there is a twin."""
    story = topic.stories[0]
    headline = story.twin.headline if story.twin and story.twin.language == content.language else story.headline
    say = translations.translations(content.language)
    parts = {"topic": one_line(topic.name, _NAME), "headline": one_line(headline, _HEADLINE)}
    return say.gettext("%(topic)s: %(headline)s") % parts


@lru_cache(maxsize=1024)
def _count(name: str, number: int, language: Language) -> str:
    say = translations.translations(language)
    return say.gettext("%(topic)s: %(num)d") % {"topic": one_line(name, _NAME), "num": number}


@lru_cache(maxsize=256)
def _when(start: datetime, end: datetime, language: Language, zone: str) -> str:
    """The time of the window as a reader would say it: nothing for hours, a day, a week, or first to last day."""
    length = end - start
    if length < timedelta(hours=12):
        return ""
    last = translations.last_day(end, language, zone)
    if length < timedelta(days=2):
        return last
    if timedelta(days=6) < length < timedelta(days=9):
        return translations.translations(language).gettext("week to %(day)s") % {"day": last}
    return translations.days(start, end, language, zone)
