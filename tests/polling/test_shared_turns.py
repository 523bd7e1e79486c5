"""One request at a time per host, whichever process asks: turns go through the database, on both kinds of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from monitor import event_loop
from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.polling.fetch import Failed, FailureKind, Fetched
from monitor.polling.shared_turns import SharedTurns
from monitor.store.claims import claim_due_sources, prune_turns, release_leases
from monitor.store.engine import Database
from monitor.store.sources import save_source
from monitor.store.visits import load_states

HOST = "127.0.0.1"
LEASE = timedelta(minutes=10)


@pytest.fixture
def source(database: Database, faults: Any) -> int:
    """A source at the fault server, due."""
    spec = SourceSpec("s", faults.url("/feed"), "A", "CA", Language.EN)
    with database.write() as session:
        return save_source(session, spec, actor="test", now=datetime.now(UTC))


def claim(database: Database, seconds_later: float = 0.0) -> dict[str, list[int]]:
    now = datetime.now(UTC) + timedelta(seconds=seconds_later)
    with database.write() as session:
        return claim_due_sources(session, now, limit=9, per_host=9, lease=LEASE)


def shared(database: Database, patience: float = 10.0) -> SharedTurns:
    """The turns as one process has them."""
    return SharedTurns(database, patience_seconds=patience)


def test_two_processes_take_turns_at_a_host(database: Database, faults: Any, new_fetcher: Any) -> None:
    faults.play("/slow", [0.3, {"body": b"x"}])

    async def ask_all() -> list[Any]:
        async with (
            new_fetcher(shared=shared(database), host_gap_seconds=0.2) as one,
            new_fetcher(shared=shared(database), host_gap_seconds=0.2) as other,
        ):
            return await asyncio.gather(*(fetcher.get(faults.url("/slow")) for fetcher in (one, other, one)))

    assert all(isinstance(answer, Fetched) for answer in event_loop.run(ask_all()))
    assert faults.most_open_requests == 1
    starts = sorted(request.at for request in faults.requests)
    assert all(later - earlier >= 0.45 for earlier, later in pairwise(starts))


def test_a_host_whose_sources_are_claimed_is_somebody_elses(
    database: Database, faults: Any, new_fetcher: Any, source: int
) -> None:
    faults.play("/page", [{"body": b"x"}])
    assert claim(database) == {HOST: [source]}

    async def ask(*, holding: bool) -> Any:
        async with new_fetcher(shared=shared(database, patience=0.0)) as fetcher:
            fetcher.hold([HOST] if holding else [])
            return await fetcher.get(faults.url("/page"))

    refused = event_loop.run(ask(holding=False))
    assert isinstance(refused, Failed)
    assert (refused.kind, refused.retry_after) == (FailureKind.BUSY, timedelta(minutes=1))
    assert faults.requests == []
    assert isinstance(event_loop.run(ask(holding=True)), Fetched), "whoever holds the lease asks"
    with database.write() as session:
        release_leases(session, load_states(session, [source]))
    assert isinstance(event_loop.run(ask(holding=False)), Fetched)


def test_nobody_claims_a_host_during_a_turn_and_its_rest(database: Database, source: int) -> None:
    async def hold() -> list[dict[str, list[int]]]:
        async with shared(database).take(HOST, gap_seconds=60, longest_seconds=600) as ours:
            assert ours
            during = await asyncio.to_thread(claim, database)
        return [during, await asyncio.to_thread(claim, database)]

    assert event_loop.run(hold()) == [{}, {}]
    assert claim(database, seconds_later=61) == {HOST: [source]}


def test_the_turn_of_a_dead_process_runs_out(database: Database, source: int) -> None:
    async def die() -> None:
        async with shared(database).take(HOST, gap_seconds=600, longest_seconds=60):
            assert claim(database) == {}
            assert claim(database, seconds_later=61) == {HOST: [source]}

    event_loop.run(die())


def test_whoever_comes_back_late_ends_nobody_elses_turn(database: Database) -> None:
    async def two() -> bool:
        async with shared(database).take(HOST, gap_seconds=0, longest_seconds=0.2):
            await asyncio.sleep(0.3)
            other = shared(database).take(HOST, gap_seconds=0, longest_seconds=60)
            assert await other.__aenter__()
        async with shared(database, patience=0.0).take(HOST, gap_seconds=0, longest_seconds=60) as ours:
            return ours

    assert event_loop.run(two()) is False


def test_turns_that_are_over_are_forgotten(database: Database) -> None:
    async def once() -> None:
        async with shared(database).take("a.example", gap_seconds=0, longest_seconds=9):
            pass

    event_loop.run(once())
    with database.write() as session:
        assert prune_turns(session, datetime.now(UTC) + timedelta(seconds=1)) == 1
