"""Ticks find all that is due, however much it is, and neither runner takes on what is in hand already."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert

from monitor.app import App, Intent
from monitor.runners.cluster import enqueue
from monitor.runners.local import Workers
from monitor.settings import Settings
from monitor.store import claims, queue
from monitor.store.engine import Database
from monitor.store.tables import SourceRow, SubscriberRow
from monitor.tasks import DIGEST_BATCH, POLL_BATCH, TASKS
from monitor.ticks import TICKS, Tick, run_tick

DUE = 4_500
ONE = timedelta(minutes=1)


@pytest.fixture
def app(database: Database, settings: Settings, now: datetime) -> App:
    def unused() -> Any:
        raise AssertionError("these tests neither poll nor mail")

    return App(settings, "key", database, unused, unused, clock=lambda: now)


def tick(name: str) -> Tick:
    return next(tick for tick in TICKS if tick.name == name)


def ids_of(intents: Sequence[Intent], task: str) -> list[int]:
    return [row for intent in intents if intent.task == task for row in intent.ids]


@pytest.fixture
def due(app: App, now: datetime) -> None:
    """More subscribers than any one task takes, all of whose digests are due."""
    row = {
        "state": "active", "language": "en", "frequency": "daily", "weekday": 0, "hour": 7, "zone": "UTC",
        "created_at": now, "next_digest_at": now, "link_generation": 1,
    }  # fmt: skip
    with app.database.write() as session:
        rows = [{**row, "address": f"reader{number}@example.org"} for number in range(DUE)]
        session.connection().execute(insert(SubscriberRow), rows)


def test_one_tick_finds_all_digests_that_are_due(app: App, due: None, now: datetime) -> None:
    intents = run_tick(app, tick("start_due_digests"), now)
    ids = ids_of(intents, "build_digests")
    assert len(ids) == len(set(ids)) == DUE
    assert max(len(intent.ids) for intent in intents) == DIGEST_BATCH


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_all_that_is_due_waits_in_the_queue_once(app: App, due: None, now: datetime) -> None:
    for moment in (now, now + ONE):
        run_tick(app, tick("start_due_digests"), moment, partial(enqueue, app))
    with app.database.read() as session:
        jobs = queue.list_jobs(session, "todo")
    assert Counter(row for job in jobs for row in job.ids) == Counter(range(1, DUE + 1))


def test_one_tick_claims_more_sources_than_one_task_visits(app: App, now: datetime) -> None:
    row = {
        "agency": "A", "country": "CA", "language": "en", "kind": "feed", "selectors": {}, "asked": {},
        "next_poll_at": now, "interval_seconds": 3600, "added_at": now,
    }  # fmt: skip
    count = POLL_BATCH * 12
    with app.database.write() as session:
        rows = [
            {**row, "slug": f"s{n}", "url": f"https://h{n}.example/", "host": f"h{n}.example"} for n in range(count)
        ]
        session.connection().execute(insert(SourceRow), rows)
    ids = ids_of(run_tick(app, tick("poll_due_sources"), now), "poll_sources")
    assert len(ids) == len(set(ids)) == count
    with app.database.write() as session:
        assert claims.claim_due_sources(session, now, limit=count, per_host=1, lease=ONE) == {}, "all are on lease"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_embedded_mode_works_on_an_id_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    go_on = threading.Event()

    def match(_app: App, ids: Sequence[int]) -> list[Intent]:
        go_on.wait(10)
        done.extend(ids)
        return []

    monkeypatch.setitem(TASKS, "match_items", match)
    workers = Workers(app, threads=2)
    workers.submit([Intent("match_items", (1, 2)), Intent("match_items", (3, 4))])
    workers.submit([Intent("match_items", (2, 3)), Intent("match_items", (4, 5))])
    go_on.set()
    _settle(workers)
    assert sorted(done) == [1, 2, 3, 4, 5]
    workers.submit([Intent("match_items", (1,))])
    _settle(workers)
    workers.stop()
    assert sorted(done) == [1, 1, 2, 3, 4, 5], "an id that is done may come again"


def _settle(workers: Workers) -> None:
    for _ in range(200):
        if not workers._taken:
            return
        threading.Event().wait(0.05)
    raise AssertionError("the work did not end")
