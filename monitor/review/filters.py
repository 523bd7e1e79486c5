"""What a reviewer asks the match log for, as a query string or a command says it, and the filter that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from sqlmodel import Session

from monitor.core.languages import READER_LANGUAGES
from monitor.errors import Refused
from monitor.store.match_log import MatchFilter
from monitor.store.source_list import name_sources
from monitor.store.watchlist import load_pillars, load_topics
from monitor.texts import marked as _

T = TypeVar("T")
_LONGEST = 200


class Word(StrEnum):
    """A verdict."""

    RELEVANT = "relevant"
    NOISE = "noise"
    STARRED = "starred"


OPEN, JUDGED = "open", "judged"
"""Names for the matches without a verdict, and for those with any."""

_VERDICTS = {OPEN: ("",), JUDGED: tuple(Word), **{word.value: (word.value,) for word in Word}}
_WORTHY = {"digest": True, "passing": False}
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The filter as people write it; an empty field does not matter.

    Attributes:
        pillar: The id of a pillar.
        topic: The id of a topic.
        source: The slug of a source.
        agency: The name of an agency.
        country: A country's code.
        language: ``en``, ``fr`` or ``es``.
        since: The first day (UTC) of the news, such as 2026-11-01.
        until: The last day.
        min_score: The least score, in percent.
        max_score: The greatest score, in percent.
        verdict: ``open``, ``judged``, ``relevant``, ``noise`` or ``starred``.
        worthy: ``digest`` for what a digest carries, ``passing`` for mentions in passing.
        assignee: The address of whoever is to judge, or ``nobody``.
        text: Words that are all in the item.
    """

    pillar: str = ""
    topic: str = ""
    source: str = ""
    agency: str = ""
    country: str = ""
    language: str = ""
    since: str = ""
    until: str = ""
    min_score: str = ""
    max_score: str = ""
    verdict: str = ""
    worthy: str = ""
    assignee: str = ""
    text: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> LogQuery:
        """The query in a mapping that may hold other things, too.

        Raises:
            Refused: A value is too long or holds what no database takes.
        """
        names = [field.name for field in fields(cls)]
        return cls(**{name: _plain(name, str(values[name])) for name in names if values.get(name) not in {None, ""}})

    def as_query(self, **others: str) -> str:
        """The query string that stands for it, with nothing in it that does not matter."""
        return urlencode({name: value for name, value in {**asdict(self), **others}.items() if value})

    @property
    def is_empty(self) -> bool:
        """Whether everything is asked for."""
        return not self.as_query()


def resolve(session: Session, query: LogQuery) -> MatchFilter:
    """The filter that a query stands for.

    Raises:
        Refused: A field holds what it cannot; the error names the field, the value and what to write.
    """
    return MatchFilter(
        topics=_topics(session, query),
        sources=_sources(session, query),
        language=_one_of("language", query.language, {language.value: language.value for language in READER_LANGUAGES}),
        since=_day("since", query.since),
        until=_day("until", query.until, days=1),
        least=_percent("min_score", query.min_score),
        most=_above(_percent("max_score", query.max_score)),
        verdicts=_one_of("verdict", query.verdict, _VERDICTS),
        worthy=_one_of("worthy", query.worthy, _WORTHY),
        assignee=None if not query.assignee else "" if query.assignee == NOBODY else query.assignee,
        words=query.text,
    )


def _plain(name: str, value: str) -> str:
    text = value.strip()
    if len(text) > _LONGEST:
        raise Refused(
            _(
                "%(name)s: it has %(count)s characters; write at most %(most)s",
                name=name,
                count=len(text),
                most=_LONGEST,
            )
        )
    if not text.isprintable():
        raise Refused(
            _("%(name)s %(text)s: leave out the characters that cannot be seen", name=name, text=repr(text[:40]))
        )
    return text


def _topics(session: Session, query: LogQuery) -> tuple[str, ...] | None:
    if not query.topic and not query.pillar:
        return None
    topics = load_topics(session)
    _check("topic", query.topic, [topic.id for topic in topics])
    _check("pillar", query.pillar, [pillar.id for pillar in load_pillars(session)])
    return tuple(topic.id for topic in topics if query.topic in {"", topic.id} and query.pillar in {"", topic.pillar})


def _sources(session: Session, query: LogQuery) -> tuple[int, ...] | None:
    asked = {"slug": query.source, "agency": query.agency, "country": query.country}
    if not any(asked.values()):
        return None
    rows = name_sources(session)
    for column, value in asked.items():
        _check("source" if column == "slug" else column, value, sorted({getattr(row, column) for row in rows}))
    found = (row for row in rows if all(value in {"", getattr(row, column)} for column, value in asked.items()))
    return tuple(row.id for row in found)


def _check(name: str, value: str, known: list[str]) -> None:
    if value and value not in known:
        raise Refused(
            _(
                "%(name)s %(value)s: there is none of this name; write one of %(known)s",
                name=name,
                value=repr(value),
                known=", ".join(known[:200]),
            )
        )


def _one_of(name: str, value: str, known: Mapping[str, Any]) -> Any:
    _check(name, value, list(known))
    return known[value] if value else None


def _day(name: str, value: str, *, days: int = 0) -> datetime | None:
    def read(text: str) -> datetime:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), UTC)

    return _read(name, value, read, "write a day such as 2026-11-01")


def _percent(name: str, value: str) -> float | None:
    def read(text: str) -> float:
        if not (text.isascii() and text.isdecimal() and int(text) <= 100):
            raise ValueError
        return int(text) / 100

    return _read(name, value, read, "write a whole number from 0 to 100")


def _above(score: float | None) -> float | None:
    """The bound that is not reached: 70 takes in what is shown as 70 %."""
    return None if score is None else score + 0.01


def _read(name: str, value: str, reader: Callable[[str], T], remedy: str) -> T | None:
    if not value:
        return None
    try:
        return reader(value)
    except (ValueError, OverflowError) as error:
        raise Refused(_("%(name)s %(value)s: %(remedy)s", name=name, value=repr(value), remedy=remedy)) from error
