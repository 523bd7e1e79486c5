"""The embedded mode: schedule, workers and database in one process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog

from monitor.app import App, Intent
from monitor.errors import Transient
from monitor.runners.schedule import Schedule
from monitor.tasks import run_intent
from monitor.ticks import TICKS, Tick, run_tick

log = structlog.get_logger(__name__)


class Workers:
    """A pool of threads that carries intents out; an id that waits or is worked on is not taken twice by its task."""

    def __init__(self, app: App, threads: int) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")
        self._lock = threading.Lock()
        self._taken: set[tuple[str, int]] = set()

    def submit(self, intents: Sequence[Intent]) -> None:
        """Take intents on, without the ids that are in hand already."""
        for intent in intents:
            if left := self._take(intent):
                self._pool.submit(self._carry_out, Intent(intent.task, left))

    def _take(self, intent: Intent) -> tuple[int, ...]:
        with self._lock:
            if self._app.stopping.is_set():
                return ()
            left = tuple(row for row in intent.ids if (intent.task, row) not in self._taken)
            self._taken.update((intent.task, row) for row in left)
            return left

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
                self._taken.difference_update((intent.task, row) for row in intent.ids)

    def stop(self) -> None:
        """Wait for the work in hand; what has not begun stays due in the rows."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class LocalRunner:
    """The schedule and the workers of the embedded mode."""

    def __init__(self, app: App, *, threads: int = 4) -> None:
        self._app = app
        self._workers = Workers(app, threads)
        self._schedule = Schedule(app, TICKS, self._fire)

    def _fire(self, tick: Tick, scheduled_at: datetime) -> None:
        self._workers.submit(run_tick(self._app, tick, scheduled_at))

    def start(self) -> None:
        """Start the schedule; each tick due since the last anchor fires at once, unless some scheduler has done so."""
        self._schedule.start()

    def stop(self) -> None:
        """Stop cleanly: no new work; the work in hand finishes or rolls back."""
        self._app.stopping.set()
        self._schedule.stop()
        self._workers.stop()
