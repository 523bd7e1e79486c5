"""How well the watchlist and the score do on graded labels: precision, recall and F1, per topic and overall."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from monitor.core.nouns import Topic
from monitor.matching.labels import Label


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a label's publication: ``score`` is None where nothing matched."""

    label: Label
    title: str
    topic: Topic
    score: float | None

    @property
    def matched(self) -> bool:
        """Whether a watch of the topic found something."""
        return self.score is not None

    @property
    def worthy(self) -> bool:
        """Whether the match goes into a digest."""
        return self.score is not None and self.score >= self.topic.threshold


@dataclass(frozen=True, slots=True)
class Count:
    """Right hits, wrong hits and misses; the rates are 1 where there was nothing to get wrong."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """The share of the hits that are right."""
        return _rate(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """The share of the relevant that was hit."""
        return _rate(self.right, self.right + self.missed)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return _rate(2 * self.right, 2 * self.right + self.wrong + self.missed)


@dataclass(frozen=True, slots=True)
class TopicReport:
    """The counts of one topic, or of all together."""

    topic: str
    matched: Count
    worthy: Count


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation; ``errors`` are the outcomes whose worthiness is wrong, surest first."""

    overall: TopicReport
    topics: tuple[TopicReport, ...]
    errors: tuple[Outcome, ...]


def evaluate(outcomes: Iterable[Outcome]) -> Report:
    """Compare outcomes with their labels; topics come in the order of their names."""
    rows = list(outcomes)
    names = sorted({row.topic.id for row in rows})
    return Report(
        overall=_report("all", rows),
        topics=tuple(_report(name, [row for row in rows if row.topic.id == name]) for name in names),
        errors=tuple(sorted((row for row in rows if row.worthy != row.label.relevant), key=_surest_first)),
    )


def _surest_first(row: Outcome) -> float:
    return -abs((row.score or 0.0) - row.topic.threshold)


def _report(name: str, rows: Iterable[Outcome]) -> TopicReport:
    rows = list(rows)
    return TopicReport(name, _count(rows, lambda row: row.matched), _count(rows, lambda row: row.worthy))


def _count(rows: Iterable[Outcome], is_hit: Callable[[Outcome], bool]) -> Count:
    pairs = [(is_hit(row), row.label.relevant) for row in rows]
    return Count(pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True)))


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
