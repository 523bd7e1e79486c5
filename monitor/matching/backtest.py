"""What a query would have found: one item at a time, and summed up by week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, Topic, Watch
from monitor.matching.concept import topic_evidence
from monitor.matching.score import Contribution, Score, ScoreModel, explain, score
from monitor.matching.watchlist import WatchHit, compile_watchlist
from monitor.texts import Text

TRIED = "tried"
"""The key of a watch that is tried and has none of its own."""

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a trial says of an item.

    ``hit`` is whether the tried query is true of it, ``before`` whether what it is compared with is. ``score`` is what
    the topic's match would have with the query in place, None where no topic was named or nothing would match;
    ``contributions`` are what it is made of.
    """

    hit: bool
    before: bool
    evidence: tuple[Evidence, ...] = ()
    score: float | None = None
    worthy: bool = False
    contributions: tuple[Contribution, ...] = ()

    @property
    def reasons(self) -> list[Text]:
        """What raised and what lowered the score, in sentences."""
        return explain(Score(self.score, self.contributions)) if self.score is not None else []


class Trial:
    """A query on trial, alone or in its place among the watches of a topic.

    Args:
        watch: The query as a watch. Where its key is one of the topic's watches, it is compared with that watch and
            takes its place; otherwise it is compared with the whole topic and comes on top of it.
        topic: The topic to try it for; without one nothing is compared and nothing scored.
        model: How matches with the topic are scored.

    Raises:
        QueryError: The query cannot be understood.
    """

    def __init__(self, watch: Watch, topic: Topic | None = None, model: ScoreModel | None = None) -> None:
        self.watch = watch
        self._topic, self._model = topic, model
        current = topic.watches if topic else ()
        self._replaced = next((other for other in current if other.key == watch.key), None)
        self._watchlist = compile_watchlist((watch, *current))

    @property
    def compared_with(self) -> str:
        """What the query is compared with: ``norad/en`` for a watch, ``norad`` for a topic, or empty."""
        if not self._topic:
            return ""
        return f"{self._topic.id}/{self._replaced.key}" if self._replaced else self._topic.id

    @property
    def watches(self) -> tuple[Watch, ...]:
        """All watches that can make a finding of an item: the one on trial, and those it is compared with."""
        current = self._topic.watches if self._topic else ()
        return (self.watch, *((self._replaced,) if self._replaced else current))

    def reads(self, language: Language | None) -> bool:
        """Whether items of a language are read by the query at all."""
        return self.watch.language is Language.ANY or language in {self.watch.language, None}

    def run(self, document: Document) -> Finding:
        """Try the query on a document."""
        return next(self.run_all([document]))

    def run_all(self, documents: Sequence[Document]) -> Iterator[Finding]:
        """Try the query on documents, and yield what comes of each."""
        for document, hits in zip(documents, self._watchlist.match_all(documents), strict=True):
            yield (
                self._found(document, tuple(hits))
                if self.reads(document.language)
                else Finding(hit=False, before=False)
            )

    def _found(self, document: Document, hits: Sequence[WatchHit]) -> Finding:
        tried = next((hit for hit in hits if hit.watch is self.watch), None)
        current = [hit for hit in hits if hit is not tried]
        if self._replaced:
            before = any(hit.watch is self._replaced for hit in current)
        else:
            before = bool(topic_evidence(current))
        if not tried:
            return Finding(hit=False, before=before)
        together = topic_evidence([*(hit for hit in current if hit.watch is not self._replaced), tried])
        found = Finding(hit=True, before=before, evidence=tried.evidence)
        return self._scored(found, document, together.get(self.watch.topic, ()))

    def _scored(self, found: Finding, document: Document, together: tuple[Evidence, ...]) -> Finding:
        if not (self._topic and self._model and together):
            return found
        made = score(document, self._topic, together, self._model)
        worthy = made.value >= self._topic.threshold
        return replace(found, score=made.value, worthy=worthy, contributions=made.contributions)


@dataclass(frozen=True, slots=True)
class Week:
    """An ISO week, in UTC: its Monday, and how many of its items were hits, and worth a digest."""

    monday: date
    hits: int
    worthy: int


def weeks(first: datetime, last: datetime, hits: Iterable[tuple[datetime, bool]]) -> tuple[Week, ...]:
    """Count hits by the week in which they were first seen; empty weeks count too.

    Args:
        first: A time in the first week, aware.
        last: A time in the last week, aware.
        hits: For each hit when it was first seen, from ``first`` to ``last``, and whether it is worth a digest.
    """
    all_hits, worthy = Counter[date](), Counter[date]()
    for seen_at, is_worthy in hits:
        all_hits[_monday(seen_at)] += 1
        worthy[_monday(seen_at)] += is_worthy
    monday, end = _monday(first), _monday(last)
    counted = []
    while monday <= end:
        counted.append(Week(monday, all_hits[monday], worthy[monday]))
        monday += _WEEK
    return tuple(counted)


def expected_per_digest(counted: Sequence[Week], *, scored: bool) -> float:
    """How many items a weekly digest would hold: the median of the weeks, of what is worth it where that is known."""
    return median(week.worthy if scored else week.hits for week in counted) if counted else 0.0


def _monday(time: datetime) -> date:
    day = time.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())
