"""The schedule: APScheduler keeps it in memory and fires it, in the embedded mode and in the cluster alike.

What is due is found in the rows, so a process that was down catches up; a slot row lets each tick fire once, however
many schedulers run on one database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.app import App
from monitor.errors import Transient
from monitor.ticks import Tick

log = structlog.get_logger(__name__)

Fire = Callable[[Tick, datetime], None]
"""Fires a tick that was scheduled for a time, aware UTC."""

_ANCHOR = datetime(2021, 2, 23, tzinfo=UTC)
"""Intervals count from here, so that all schedulers name the same tick by the same time."""

_OVERDUE = timedelta(minutes=3)


class SlotExecutor(BaseExecutor):  # type: ignore[misc]  # APScheduler ships no types
    """Fires a tick with the time it was scheduled for, which APScheduler does not hand to a job by itself."""

    def __init__(self, app: App, fire: Fire) -> None:
        super().__init__()
        self._app, self._fire = app, fire
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ticks")

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        (tick,) = job.args
        future = self._pool.submit(self._fire_unless_stopping, tick, run_times[-1])
        future.add_done_callback(lambda done: self._done(job.id, done))

    def _fire_unless_stopping(self, tick: Tick, scheduled_at: datetime) -> None:
        if not self._app.stopping.is_set():
            self._fire(tick, scheduled_at.astimezone(UTC))

    def _done(self, job_id: str, future: Future[None]) -> None:
        # A tick that was still waiting when the service stopped never began.
        error = None if future.cancelled() else future.exception()
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


class Schedule:
    """The ticks, each fired at its times until the schedule is stopped."""

    def __init__(self, app: App, ticks: Sequence[Tick], fire: Fire) -> None:
        self._app, self._ticks, self._fire = app, ticks, fire
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self._scheduler.add_executor(SlotExecutor(app, fire))

    def start(self) -> None:
        """Start; each tick due since the last anchor fires at once, unless some scheduler has done so."""
        for tick in self._ticks:
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
        for tick in self._ticks:
            try:
                self._fire(tick, now - (now - _ANCHOR) % tick.every)
            except Transient as error:
                log.warning("a tick was missed", job=tick.name, reason=str(error))

    def stop(self) -> None:
        """Stop; a tick in hand finishes."""
        self._scheduler.shutdown(wait=True)

    def is_well(self) -> bool:
        """Whether the schedule fires: no tick is overdue by more than a few minutes."""
        now = self._app.clock()
        return all(now - at < _OVERDUE for at in self.next_runs().values())

    def next_runs(self) -> dict[str, datetime]:
        """When each tick fires next, aware UTC."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs()}


def _unused(tick: Tick) -> None:
    raise NotImplementedError(f"the slot executor runs {tick.name}, never the scheduler itself")
