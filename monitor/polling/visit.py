"""Visits to sources: hosts side by side, the sources of one host one after the other, over one kept connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from monitor.core.nouns import SourceKind
from monitor.polling.fetch import FEED, Failed, FailureKind, Fetched, Fetcher, Outcome
from monitor.polling.intake import Visited, VisitReport, take_in
from monitor.polling.pace import Bounds
from monitor.polling.paging import Further, turn_pages
from monitor.polling.parse import Draft
from monitor.polling.reading import read
from monitor.polling.robots import Robots
from monitor.store.claims import release_leases
from monitor.store.engine import Database
from monitor.store.items import find_known
from monitor.store.visits import SourceState

_WRITE_EVERY = 5.0
"""Seconds after which answers are written down, though others are still awaited."""

_MOST_HELD = 16_000_000
"""Bytes of documents after which they are written down at once, to bound the memory."""

_LEASE_MARGIN = timedelta(minutes=2)
"""No visit begins in the last part of a lease: it would end with another worker at the same host."""

_HOST_AWAY = frozenset({FailureKind.DNS, FailureKind.REFUSED, FailureKind.TIMEOUT, FailureKind.RATE_LIMITED})
"""What is true of a host and not of a feed: to ask for its other feeds now would be no use, or no manners."""


async def visit_sources(
    database: Database,
    fetcher: Fetcher,
    sources: Sequence[SourceState],
    *,
    clock: Callable[[], datetime],
    at_once: int,
    rest: timedelta = timedelta(0),
    stopping: Callable[[], bool] = lambda: False,
) -> list[VisitReport]:
    """Visit claimed sources and take in what they show; give back those to which it does not come.

    Args:
        database: Where their items and their state are.
        fetcher: What to visit with.
        sources: The sources, in the order in which they are due.
        clock: Gives the time, aware UTC.
        at_once: How many hosts to visit at the same time.
        rest: For how long a host is left alone after a visit, by every worker.
        stopping: Asked before each visit; once true, no other begins.

    Raises:
        DatabaseBusy: The database did not take what was brought; it will be brought again when the leases end.
    """
    visits = _Round(database, fetcher, clock, rest, stopping)
    gate = asyncio.Semaphore(at_once)
    hosts: dict[str, list[SourceState]] = {}
    for source in sources:
        hosts.setdefault(source.host, []).append(source)
    waiting = {asyncio.create_task(visits.visit_host(gate, of_host)) for of_host in hosts.values()}
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=_WRITE_EVERY)
            await visits.write()
            for task in done:
                task.result()
    finally:
        for task in waiting:
            task.cancel()
    return visits.reports


class _Round:
    """What a round of visits has brought and not yet written."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        clock: Callable[[], datetime],
        rest: timedelta,
        stopping: Callable[[], bool],
    ) -> None:
        self._database, self._robots, self._clock = database, Robots(fetcher, clock=clock), clock
        self._rest, self._stopping = rest, stopping
        self._visited: list[Visited] = []
        self._held = 0
        self.reports: list[VisitReport] = []

    async def visit_host(self, gate: asyncio.Semaphore, sources: Sequence[SourceState]) -> None:
        """Visit the sources of one host, until it is away or the lease or the service ends."""
        async with gate:
            for position, source in enumerate(sources):
                if self._stopping() or _ends_soon(source, self._clock()):
                    await self._give_back(sources[position:])
                    return
                outcome = await _ask(self._robots, source, conditional=True)
                now = self._clock()
                further = await self._turn_pages(source, outcome, now)
                self._visited.append(Visited(source, outcome, now, further))
                self._held += len(outcome.body) if isinstance(outcome, Fetched) else 0
                if self._held > _MOST_HELD:
                    await self.write()
                if pause := _pause(further.failed or outcome):
                    await self._give_back(sources[position + 1 :], not_before=now + pause)
                    return

    async def _turn_pages(self, source: SourceState, outcome: Outcome, now: datetime) -> Further:
        return await turn_pages(
            self._robots,
            source,
            outcome,
            knows=partial(_knows, self._database, source),
            stopping=lambda: self._stopping() or _ends_soon(source, self._clock()),
            now=now,
        )

    async def write(self) -> None:
        """Write down what was brought since the last time."""
        visited, self._visited, self._held = self._visited, [], 0
        if visited:
            self.reports += await asyncio.to_thread(take_in, self._database, visited, rest=self._rest)

    async def _give_back(self, sources: Sequence[SourceState], not_before: datetime | None = None) -> None:
        if sources:
            await asyncio.to_thread(_release, self._database, sources, not_before)


def _knows(database: Database, source: SourceState, drafts: Sequence[Draft]) -> bool:
    with database.read() as session:
        return bool(find_known(session, source.id, keys=[draft.key for draft in drafts], latest=0))


def _release(database: Database, sources: Sequence[SourceState], not_before: datetime | None) -> None:
    with database.write() as session:
        release_leases(session, sources, not_before=not_before)


def _ends_soon(source: SourceState, now: datetime) -> bool:
    return source.lease_until is not None and source.lease_until - now < _LEASE_MARGIN


def _pause(outcome: Outcome) -> timedelta | None:
    """For how long the host's other sources are left alone after an answer, or None."""
    if not isinstance(outcome, Failed):
        return None
    return outcome.retry_after or (Bounds().shortest if outcome.kind in _HOST_AWAY else None)


async def _ask(robots: Robots, source: SourceState, *, conditional: bool) -> Outcome:
    """Visit a source; a feed is made for programs to read, a page is read as far as its site's robots.txt allows."""
    etag, last_modified = (source.etag, source.last_modified) if conditional else (None, None)
    if source.spec.kind is SourceKind.PAGE:
        return await robots.get(source.spec.url, etag=etag, last_modified=last_modified)
    return await robots.fetcher.get(source.spec.url, etag=etag, last_modified=last_modified, accept=FEED)


@dataclass(frozen=True, slots=True)
class Probe:
    """What a source would bring now; nothing of it is stored. ``newest`` is aware UTC."""

    slug: str
    outcome: str
    detail: str
    entries: int
    newest: datetime | None
    failed: bool


async def probe(fetcher: Fetcher, source: SourceState, now: datetime) -> Probe:
    """Visit a source as if for the first time and store nothing."""
    outcome = await _ask(Robots(fetcher), source, conditional=False)
    return await asyncio.to_thread(_probed, source, outcome, now)


def _probed(source: SourceState, outcome: Outcome, now: datetime) -> Probe:
    reading = read(replace(source, body_hash=None), outcome, now)
    dates = (draft.entry().published_at for draft in reading.drafts)
    newest = max((date for date in dates if date), default=None)
    return Probe(source.spec.slug, reading.outcome, reading.detail, len(reading.drafts), newest, reading.failed)
