"""Trying a query on the archive: one function for the command line and the page where watches are edited."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import Document, Topic, Watch
from monitor.errors import NotFound
from monitor.matching.backtest import TRIED, Finding, Trial, Week, expected_per_digest, weeks
from monitor.matching.query import parse_query
from monitor.store.archive import find_candidates
from monitor.store.items import load_documents
from monitor.store.live_watchlist import Matcher
from monitor.store.tables import ItemRow
from monitor.store.verdicts import relevance

_BATCH = 100  # documents between two looks at the clock


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a backtest may cost; it begins with the newest items, so that what it leaves out is the oldest."""

    items: int = 100_000
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """An item that a backtest shows."""

    item_id: int
    url: str
    first_seen_at: datetime
    document: Document
    finding: Finding


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a query differs from what there is now.

    ``compared_with`` is a watch (``norad/en``) or a whole topic (``norad``). Gained is what only the query finds,
    lost what only the other finds, of the items in languages that the query reads. The samples are the newest.
    """

    compared_with: str
    gained: int
    lost: int
    gained_sample: tuple[Sample, ...]
    lost_sample: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a query would have found.

    Attributes:
        reached: How far back the items were read, aware UTC; later than asked for where ``stopped_after`` says why.
        stopped_after: ``items`` or ``seconds`` where a bound was met; empty where all was read.
        items: How many items were first seen since ``reached``.
        candidates: How many of them the index named, and the engine read.
        hits: How many the query found.
        worthy: How many of the hits are worth a digest; None where no topic was named.
        weeks: Hits by week, oldest first, from the first week that has an item to the last.
        sample: The newest hits.
        comparison: What would change; None where no topic was named.
        judged: How many of the hits have a verdict.
        relevant: How many of these were called relevant.
    """

    reached: datetime
    stopped_after: str
    items: int
    candidates: int
    hits: int
    worthy: int | None
    weeks: tuple[Week, ...]
    sample: tuple[Sample, ...]
    comparison: Comparison | None
    judged: int
    relevant: int

    @property
    def per_digest(self) -> float:
        """How many items a weekly digest would hold, as the median of the weeks."""
        return expected_per_digest(self.weeks, scored=self.worthy is not None)

    @property
    def precision(self) -> float | None:
        """The share of the judged hits that are relevant, or None where none is judged."""
        return self.relevant / self.judged if self.judged else None


def backtest(
    session: Session,
    matcher: Matcher,
    query: str,
    language: Language,
    since: datetime,
    *,
    topic: str | None = None,
    key: str = TRIED,
    verdicts: Mapping[int, bool] | None = None,
    bounds: Bounds = Bounds(),
    sample: int = 20,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    clock: Callable[[], float] = time.monotonic,
) -> Backtest:
    """Run a query over the stored items.

    Args:
        session: An open transaction.
        matcher: What is live now: the topics with their watches, and the score.
        query: The query, in the language of docs/query-language.md.
        language: Whose stems its words have; items of other languages are not read.
        since: How far back; items count by when they were first seen, aware UTC.
        topic: The topic that the query is for: hits are scored, and compared with what the topic finds now.
        key: The watch of the topic that the query would replace; any other key stands for a new watch.
        verdicts: Whether an item is relevant to the topic, by the item's id; what reviewers said where left out.
        bounds: When to stop.
        sample: How many items of each kind to show.
        progress: Called with how many candidates are read, and how many there are.
        clock: Seconds that only go forward.

    Raises:
        QueryError: The query cannot be understood.
        NotFound: There is no such topic.
    """
    deadline = clock() + bounds.seconds
    parse_query(query, language)  # a problem with it is not a problem of some watch
    trial = Trial(Watch(topic or TRIED, key, language, query), _topic(matcher, topic), matcher.model)
    queries = [parse_query(watch.query, watch.language) for watch in trial.watches]
    candidates = find_candidates(session, queries, since, language=language)
    judged = verdicts if verdicts is not None else relevance(session, topic) if topic else {}
    tally = _Tally(judged, sample)
    read = 0
    for read in _read(session, candidates[: bounds.items], trial, tally):
        progress(read, len(candidates))
        if clock() > deadline:
            break
    stopped = read < len(candidates)
    reached = candidates[read - 1][1] if stopped and read else since
    return Backtest(
        **tally.sums(scored=topic is not None),
        **_span(session, reached, tally.seen),
        reached=reached,
        stopped_after="" if not stopped else "seconds" if read < bounds.items else "items",
        candidates=read,
        comparison=tally.comparison(trial) if topic else None,
    )


def _topic(matcher: Matcher, topic: str | None) -> Topic | None:
    if topic is not None and topic not in matcher.topics:
        raise NotFound(f"topic {topic!r}: no such topic; the topics are {', '.join(matcher.topics)}")
    return matcher.topics[topic] if topic else None


def _read(session: Session, candidates: Sequence[tuple[int, datetime]], trial: Trial, tally: _Tally) -> Iterator[int]:
    """Try the query on the candidates, batch by batch, and yield how many are done."""
    for start in range(0, len(candidates), _BATCH):
        seen_at = dict(candidates[start : start + _BATCH])
        documents = {stored.item_id: stored.document for stored in load_documents(session, list(seen_at))}
        urls = dict(session.exec(select(ItemRow.id, ItemRow.url).where(col(ItemRow.id).in_(seen_at))).all())
        findings = trial.run_all([documents[item_id] for item_id in seen_at])
        for (item_id, first_seen_at), finding in zip(seen_at.items(), findings, strict=True):
            tally.add(Sample(item_id, urls[item_id], first_seen_at, documents[item_id], finding))
        yield start + len(seen_at)


def _span(session: Session, since: datetime, seen: Sequence[tuple[datetime, bool]]) -> dict[str, Any]:
    """How many items there are since a time, and the hits by week from the first of these items to the last."""
    times = (func.min(ItemRow.first_seen_at), func.max(ItemRow.first_seen_at), func.count())
    first, last, count = session.exec(select(*times).where(ItemRow.first_seen_at >= since)).one()
    return {"items": count, "weeks": weeks(first, last, seen) if count else ()}


class _Tally:
    """Sums findings up as they come, newest first, and keeps the first few of each kind."""

    def __init__(self, verdicts: Mapping[int, bool], sample: int) -> None:
        self._verdicts, self._most = verdicts, sample
        self._verdicts_met: list[bool] = []
        self._counts = Counter[str]()
        self._samples: defaultdict[str, list[Sample]] = defaultdict(list)
        self.seen: list[tuple[datetime, bool]] = []

    def add(self, found: Sample) -> None:
        finding = found.finding
        if finding.hit:
            self._keep("hits", found)
            self.seen.append((found.first_seen_at, finding.worthy))
            if found.item_id in self._verdicts:
                self._verdicts_met.append(self._verdicts[found.item_id])
        if finding.hit != finding.before:
            self._keep("gained" if finding.hit else "lost", found)

    def _keep(self, kind: str, found: Sample) -> None:
        self._counts[kind] += 1
        if len(self._samples[kind]) < self._most:
            self._samples[kind].append(found)

    def sums(self, *, scored: bool) -> dict[str, Any]:
        """The fields of a backtest that are sums."""
        return {
            "hits": self._counts["hits"],
            "worthy": sum(worthy for _, worthy in self.seen) if scored else None,
            "sample": tuple(self._samples["hits"]),
            "judged": len(self._verdicts_met),
            "relevant": sum(self._verdicts_met),
        }

    def comparison(self, trial: Trial) -> Comparison:
        return Comparison(
            trial.compared_with,
            self._counts["gained"],
            self._counts["lost"],
            tuple(self._samples["gained"]),
            tuple(self._samples["lost"]),
        )
