"""The queue: in the transaction or not at all, each id once, the blame on one row, and dead letters taken up again."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.app import App, Intent
from monitor.errors import Conflict, DatabaseBusy, NotFound, SettingError
from monitor.runners import cluster
from monitor.runners.cluster import QUEUES, Scheduler, Worker, carry_out, enqueue
from monitor.settings import Settings
from monitor.store import queue, slots
from monitor.store.engine import Database
from monitor.store.queue_schema import prepare_queue
from monitor.tasks import TASKS
from monitor.ticks import Tick, run_tick

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def app(database: Database, settings: Settings) -> App:
    prepare_queue(database)

    def unused() -> Any:
        raise AssertionError("these tests neither poll nor mail")

    return App(settings, "key", database, unused, unused)


def put(app: App, *intents: Intent) -> None:
    with app.database.write() as session:
        enqueue(app, session, intents)


def waiting(app: App, state: str = "todo") -> list[tuple[str, tuple[int, ...]]]:
    with app.database.read() as session:
        return sorted((job.task, job.ids) for job in queue.list_jobs(session, state))


def work(app: App) -> None:
    """Let a worker take what is due, until there is no more."""
    worker = Worker(replace(app, stopping=threading.Event()), queues=list(QUEUES.values()), concurrency=2)

    def stop_when_done() -> None:
        for _ in range(300):
            time.sleep(0.2)
            with app.database.read() as session:
                if not any(state.waiting or state.running for state in queue.queue_states(session)):
                    break
        worker.stop()

    watcher = threading.Thread(target=stop_when_done)
    watcher.start()
    worker.run()
    watcher.join()


@on_postgresql
def test_an_intent_waits_in_the_queue_if_and_only_if_its_tick_is_committed(app: App, now: datetime) -> None:
    def fails(_app: App, _session: Any, _now: datetime) -> list[Intent]:
        return [Intent("match_items", (1, 2))]

    def enqueue_and_fail(session: Any, intents: Sequence[Intent]) -> None:
        enqueue(app, session, intents)
        raise RuntimeError("the power is gone")

    tick = Tick("match", timedelta(minutes=1), fails, "match")
    with pytest.raises(RuntimeError):
        run_tick(app, tick, now, enqueue_and_fail)
    assert waiting(app) == []
    with app.database.write() as session:
        assert slots.take_slot(session, "match", now, now), "its slot is free as well"
    run_tick(app, tick, now + timedelta(minutes=1), lambda session, intents: enqueue(app, session, intents))
    assert waiting(app) == [("match_items", (1, 2))]


@on_postgresql
def test_an_id_waits_in_one_job_of_a_task(app: App) -> None:
    put(app, Intent("match_items", (1, 2)), Intent("send_digests", (1,)))
    put(app, Intent("match_items", (2, 3)), Intent("send_digests", (1,)))
    assert waiting(app) == [("match_items", (1, 2)), ("match_items", (3,)), ("send_digests", (1,))]


@on_postgresql
def test_the_row_to_blame_becomes_a_dead_letter_and_the_others_are_done(
    app: App, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    done: list[int] = []

    def match(_app: App, ids: Sequence[int]) -> list[Intent]:
        for item in ids:
            if item == 3:
                raise ValueError("this one cannot be read")
            done.append(item)
        return []

    monkeypatch.setitem(TASKS, "match_items", match)
    monkeypatch.setattr(cluster, "ATTEMPTS", 1)
    put(app, Intent("match_items", (1, 2, 3, 4, 5, 6)))
    work(app)
    assert set(done) == {1, 2, 4, 5, 6}
    assert waiting(app, "failed") == [("match_items", (3,))]
    put(app, Intent("match_items", (3, 4)))
    assert waiting(app) == [("match_items", (4,))], "ticks leave the dead letter's row alone"

    with app.database.write() as session:
        (dead,) = queue.list_jobs(session, "failed")
        assert queue.retry_job(session, dead.id, actor="test", now=now) == dead
    with app.database.write() as session, pytest.raises(Conflict, match="is todo"):
        queue.retry_job(session, dead.id, actor="test", now=now)
    with app.database.write() as session, pytest.raises(NotFound):
        queue.retry_job(session, 99_999, actor="test", now=now)


@on_postgresql
def test_what_will_pass_is_tried_again_later(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_app: App, _ids: Sequence[int]) -> list[Intent]:
        raise DatabaseBusy("the database is away")

    monkeypatch.setitem(TASKS, "match_items", busy)
    put(app, Intent("match_items", (1, 2)))
    work(app)
    with app.database.read() as session:
        (job,) = queue.list_jobs(session, "todo")
        (state,) = queue.queue_states(session)
    assert (job.attempts, job.ids) == (1, (1, 2))
    assert (state.again, state.waiting, state.dead) == (1, 0, 0)


@on_postgresql
def test_what_a_silent_worker_held_is_put_back(app: App) -> None:
    put(app, Intent("match_items", (1,)))
    with app.database.write() as session:
        connection = session.connection()
        worker = connection.exec_driver_sql("SELECT worker_id FROM procrastinate_register_worker_v1()").scalar()
        connection.exec_driver_sql("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", (worker,))
    assert waiting(app, "doing") == [("match_items", (1,))]
    with app.database.write() as session:
        assert queue.rescue(session, silent_for=timedelta(minutes=1)) == 0, "it was heard of just now"
    with app.database.write() as session:
        assert queue.rescue(session, silent_for=timedelta(0)) == 1
    assert waiting(app) == [("match_items", (1,))]


@on_postgresql
def test_what_is_done_is_counted_and_then_forgotten(app: App, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setitem(TASKS, "match_items", lambda *_: [])
    put(app, Intent("match_items", (1,)))
    work(app)
    with app.database.write() as session:
        (state,) = queue.queue_states(session)
        assert (state.queue, state.done, state.waiting) == ("match", 1, 0)
        later = datetime.fromisoformat("2100-01-01T00:00:00+00:00")
        assert queue.prune_jobs(session, done_before=later, dead_before=now) == 1


@on_postgresql
def test_a_task_carried_out_enqueues_what_follows(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "build_digests", lambda *_: [Intent("send_digests", (7, 8))])
    carry_out(app, Intent("build_digests", (1,)))
    assert waiting(app) == [("send_digests", (7, 8))]


@on_postgresql
def test_the_schema_of_the_queue_is_applied_once(app: App) -> None:
    put(app, Intent("match_items", (1,)))
    prepare_queue(app.database)
    assert waiting(app) == [("match_items", (1,))]


@on_postgresql
def test_the_queue_on_the_command_line(app: App, monitor: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    put(app, Intent("match_items", (1, 2)))
    monkeypatch.setenv("MONITOR_DATABASE_URL", app.database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("MONITOR_DATA_DIR", str(tmp_path))
    assert '"waiting": 1' in monitor("queue", "list", "--json").stdout
    assert "match_items" in monitor("queue", "list", "--state", "todo", "--json").stdout
    refused = monitor("queue", "retry", "1")
    assert refused.returncode == 2
    assert "is todo" in refused.stderr


def test_every_task_has_a_queue() -> None:
    assert set(QUEUES) == set(TASKS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_has_no_queue(database: Database, settings: Settings) -> None:
    app = App(settings, "key", database, lambda: None, lambda: None)  # type: ignore[arg-type, return-value]
    for start in (lambda: Scheduler(app), lambda: Worker(app, queues=["poll"], concurrency=1)):
        with pytest.raises(SettingError, match="need PostgreSQL"):
            start()
