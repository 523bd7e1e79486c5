"""The embedded mode: schedule, workers and database in one process.

APScheduler keeps the schedule in memory and fires it; what is due is found in the rows, so a process that was down
catches up, and several of them on one database share the work: a slot row lets each tick fire once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import structlog
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.errors import Transient
from monitor.tasks import TICKS, App, Intent, Tick, run_intent, run_tick

log = structlog.get_logger(__name__)

_ANCHOR = datetime(2021, 2, 23, tzinfo=UTC)
"""Intervals count from here, so that all schedulers name the same tick by the same time."""


class Workers:
    """A pool of threads that carries intents out; an intent that is already waiting or running is not taken twice."""

    def __init__(self, app: App, threads: int) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")
        self._lock = threading.Lock()
        self._taken: set[Intent] = set()

    def submit(self, intents: Sequence[Intent]) -> None:
        """Take intents on."""
        for intent in intents:
            with self._lock:
                if intent in self._taken or self._app.stopping.is_set():
                    continue
                self._taken.add(intent)
            self._pool.submit(self._carry_out, intent)

    def _carry_out(self, intent: Intent) -> None:
        try:
            following = [] if self._app.stopping.is_set() else run_intent(self._app, intent)
        except Transient as error:
            log.warning("put off", task=intent.task, rows=len(intent.ids), reason=str(error))
        except Exception:
            # The rows still say that the work is due: the next tick takes it up.
            log.exception("a task failed", task=intent.task, rows=len(intent.ids))
        else:
            self.submit(following)
        finally:
            with self._lock:
                self._taken.discard(intent)

    def stop(self) -> None:
        """Wait for the work in hand; what has not begun stays due in the rows."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class SlotExecutor(BaseExecutor):  # type: ignore[misc]  # APScheduler ships no types
    """Runs a tick with the time it was scheduled for, which APScheduler does not hand to a job by itself."""

    def __init__(self, app: App, workers: Workers) -> None:
        super().__init__()
        self._app, self._workers = app, workers
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ticks")

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        (tick,) = job.args
        future = self._pool.submit(self._fire, tick, run_times[-1])
        future.add_done_callback(lambda done: self._done(job.id, done))

    def _fire(self, tick: Tick, scheduled_at: datetime) -> None:
        if not self._app.stopping.is_set():
            self._workers.submit(run_tick(self._app, tick, scheduled_at.astimezone(UTC)))

    def _done(self, job_id: str, future: Future[None]) -> None:
        error = future.exception()
        if error is None:
            self._run_job_success(job_id, [])
        elif isinstance(error, Transient):
            log.warning("a tick was missed", job=job_id, reason=str(error))
            self._run_job_success(job_id, [])
        else:
            self._run_job_error(job_id, error, error.__traceback__)

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - APScheduler's signature
        """Stop firing; a tick in hand finishes."""
        self._pool.shutdown(wait=wait, cancel_futures=True)


class LocalRunner:
    """The scheduler and the workers of the embedded mode."""

    def __init__(self, app: App, *, threads: int = 4) -> None:
        self._app = app
        self._workers = Workers(app, threads)
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self._scheduler.add_executor(SlotExecutor(app, self._workers))

    def start(self) -> None:
        """Start the schedule; each tick due since the last anchor fires at once, unless some scheduler has done so."""
        for tick in TICKS:
            self._scheduler.add_job(
                _unused,
                IntervalTrigger(seconds=int(tick.every.total_seconds()), start_date=_ANCHOR, timezone=UTC),
                args=[tick],
                id=tick.name,
                name=tick.says,
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )
        self._scheduler.start()
        now = self._app.clock()
        for tick in TICKS:
            self._workers.submit(run_tick(self._app, tick, now - (now - _ANCHOR) % tick.every))

    def stop(self) -> None:
        """Stop cleanly: no new work; the work in hand finishes or rolls back."""
        self._app.stopping.set()
        self._scheduler.shutdown(wait=True)
        self._workers.stop()

    def next_runs(self) -> dict[str, datetime]:
        """When each job of the schedule fires next, aware UTC."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs()}


def _unused(tick: Tick) -> None:
    raise NotImplementedError(f"the slot executor runs {tick.name}, never the scheduler itself")
