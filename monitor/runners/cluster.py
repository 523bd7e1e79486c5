"""The cluster mode: any number of schedulers and workers on one PostgreSQL, with Procrastinate as the engine.

A scheduler fires a tick, and puts what follows into the queue, in one transaction. A worker fetches jobs and carries
them out by the same functions as the embedded mode. Rows hold the state: a job that is lost costs time, never work.

What goes wrong with a job:

- its worker dies or loses the database: the worker falls silent, and ``rescue_jobs`` puts its jobs back;
- it meets something that will pass (``Transient``): it is tried again, later each time;
- it meets a surprise: it is cut in halves until the row that is to blame stands alone; that job is tried again, and
  when it has used up its attempts it is a dead letter, which waits for somebody to look at it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import procrastinate
import structlog
from procrastinate import jobs
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlmodel import Session

from monitor import event_loop
from monitor.app import App, Intent
from monitor.errors import SettingError, Transient
from monitor.runners.connector import Connector
from monitor.runners.schedule import Schedule
from monitor.store import queue
from monitor.store.queue import Work
from monitor.tasks import TASKS, run_intent
from monitor.ticks import TICKS, Tick, run_tick

log = structlog.get_logger(__name__)

QUEUES: Mapping[str, str] = {
    "poll_sources": "poll",
    "read_articles": "poll",
    "match_items": "match",
    "build_digests": "digest",
    "send_digests": "mail",
    "send_letters": "mail",
    "read_mailbox": "mail",
    "send_pushes": "mail",
    "ask_hubs": "poll",
}
"""The queue of each task."""

_URGENT = frozenset({"send_letters"})
"""Somebody sits in front of a page and waits for these."""

HEARTBEAT = timedelta(seconds=10)
SILENT = timedelta(seconds=40)
"""A worker that has not been heard of for so long is taken for dead."""
RESCUE_EVERY = timedelta(seconds=20)
RECONNECT = timedelta(seconds=2)
_UNWELL_AFTER = timedelta(minutes=2)
KEEP_DONE = timedelta(hours=1)
KEEP_DEAD = timedelta(days=30)
ATTEMPTS = 8
_FIRST_WAIT = 10  # seconds; each further one is twice as long: eight attempts are spread over 20 minutes
_LONGEST_WAIT = 600


# ---- schedulers ----------------------------------------------------------------------------------------------------


def rescue_jobs(_app: App, session: Session, now: datetime) -> list[Intent]:
    """Put back what dead workers held, and forget the jobs that are done."""
    if rescued := queue.rescue(session, silent_for=SILENT):
        log.warning("jobs of silent workers are back in the queue", jobs=rescued)
    queue.prune_jobs(session, done_before=now - KEEP_DONE, dead_before=now - KEEP_DEAD)
    return []


class Scheduler:
    """A scheduler of the cluster; any number of them share the ticks.

    Raises:
        SettingError: The database is not PostgreSQL.
    """

    def __init__(self, app: App) -> None:
        _need_postgresql(app)
        self._app = app
        rescue = Tick("rescue_jobs", RESCUE_EVERY, rescue_jobs, "put back the jobs of dead workers")
        self._schedule = Schedule(app, (*TICKS, rescue), self._fire)

    def _fire(self, tick: Tick, scheduled_at: datetime) -> None:
        run_tick(self._app, tick, scheduled_at, partial(enqueue, self._app))

    def start(self) -> None:
        """Start the schedule."""
        self._schedule.start()

    def is_well(self) -> bool:
        """Whether the schedule fires."""
        return self._schedule.is_well()

    def stop(self) -> None:
        """Stop cleanly; a tick in hand is committed."""
        self._app.stopping.set()
        self._schedule.stop()


def enqueue(app: App, session: Session, intents: Sequence[Intent], *, besides: int | None = None) -> None:
    """Put intents into the queue, in the session's transaction; ``besides`` is the job that asks, if one does."""
    work = [
        Work(QUEUES[intent.task], intent.task, intent.ids, priority=int(intent.task in _URGENT)) for intent in intents
    ]
    queue.enqueue(session, work, app.clock(), besides=besides)


def _need_postgresql(app: App) -> None:
    if app.database.is_sqlite:
        address = app.database.engine.url.render_as_string()
        remedy = "schedulers and workers need PostgreSQL; on SQLite `monitor run` does their work in one process"
        raise SettingError("settings", "database_url", address, remedy)


# ---- workers -------------------------------------------------------------------------------------------------------


class Later(BaseRetryStrategy):
    """A failed job is tried again after a while, each time after a longer one; what will pass, for ever."""

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> RetryDecision | None:
        """When to try again, or None for a dead letter."""
        if job.attempts + 1 >= ATTEMPTS and not isinstance(exception, Transient):
            return None
        return RetryDecision(retry_in={"seconds": min(_FIRST_WAIT * 2 ** min(job.attempts, 20), _LONGEST_WAIT)})


class Worker:
    """A worker of the cluster: it carries out the jobs of some queues, several at a time, until it is stopped.

    Args:
        app: The installation.
        queues: Which queues to serve.
        concurrency: How many jobs at a time.

    Raises:
        SettingError: The database is not PostgreSQL.
    """

    def __init__(self, app: App, *, queues: Sequence[str], concurrency: int) -> None:
        _need_postgresql(app)
        self._app, self._queues, self._concurrency = app, list(queues), concurrency
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn: asyncio.Task[None] | None = None
        self._lost_at: float | None = None

    def run(self) -> None:
        """Work until ``stop`` is called; a database that is away is waited for."""
        event_loop.run(self._work())

    def is_well(self) -> bool:
        """Whether it is registered at the queue, or was a moment ago."""
        return self._lost_at is None or time.monotonic() - self._lost_at < _UNWELL_AFTER.total_seconds()

    def stop(self) -> None:
        """Take no more jobs; those in hand end at the next row. May be called from a signal handler."""
        self._app.stopping.set()
        self._leave()

    def _leave(self) -> None:
        if self._loop and self._turn:
            self._loop.call_soon_threadsafe(self._turn.cancel)

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        threads = ThreadPoolExecutor(self._concurrency + 2, thread_name_prefix="worker")
        self._loop.set_default_executor(threads)
        self._loop.set_exception_handler(_tell)
        while not self._app.stopping.is_set():
            self._turn = asyncio.create_task(self._serve())
            await asyncio.wait([self._turn])
            if not self._app.stopping.is_set():
                self._lost_at = self._lost_at or time.monotonic()
                log.warning("the queue did not answer; asking again", reason=_reason(self._turn))
                await asyncio.sleep(RECONNECT.total_seconds())

    async def _serve(self) -> None:
        """Serve under one registration, until told to leave or until the database fails."""
        engine = make_engine(self._app, self._leave, connections=self._concurrency + 3)
        async with engine.open_async():
            self._lost_at = None
            await engine.run_worker_async(
                queues=self._queues,
                concurrency=self._concurrency,
                install_signal_handlers=False,
                listen_notify=not self._app.settings.database_pooler,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=HEARTBEAT.total_seconds(),
                stalled_worker_timeout=SILENT.total_seconds(),
            )


def _tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Procrastinate lets the end of a job go that it could not write down; whoever rescues the job finds it done.
    log.warning("a job's end was not written down", reason=repr(context.get("exception") or context["message"]))


def _reason(turn: asyncio.Task[None]) -> str:
    error = None if turn.cancelled() else turn.exception()
    return repr(error) if error else "the connection was lost"


def make_engine(app: App, failed: Callable[[], None], *, connections: int) -> procrastinate.App:
    """Procrastinate, knowing our tasks; ``failed`` is called when the database fails it."""
    address = app.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connector = Connector(
        failed,
        conninfo=address,
        min_size=1,
        max_size=connections,
        timeout=10,
        kwargs={"prepare_threshold": None} if app.settings.database_pooler else {},
    )
    engine = procrastinate.App(connector=connector)
    for name in TASKS:
        carry_out_it = partial(_carry_out_job, app)
        engine.task(name=name, queue=QUEUES[name], retry=Later(), pass_context=True)(carry_out_it)
    return engine


def _carry_out_job(app: App, context: procrastinate.JobContext, ids: Sequence[int]) -> None:
    carry_out(app, Intent(context.job.task_name, tuple(ids)), job_id=context.job.id)


def carry_out(app: App, intent: Intent, *, job_id: int | None = None) -> None:
    """Carry an intent out and enqueue what follows from it; one that fails for several rows is cut in halves.

    Raises:
        Transient: It met something that will pass.
        Exception: It failed for its one row.
    """
    try:
        following = [] if app.stopping.is_set() else run_intent(app, intent)
    except Transient as error:
        log.warning("put off", task=intent.task, rows=len(intent.ids), reason=str(error))
        raise
    except Exception:
        log.exception("a task failed", task=intent.task, rows=len(intent.ids), ids=intent.ids[:10])
        following = halves(intent)
        if not following:
            raise
    if following:
        with app.database.write() as session:
            enqueue(app, session, following, besides=job_id)


def halves(intent: Intent) -> list[Intent]:
    """The two halves of an intent, none where it is for one row: so a row that cannot be worked on is found."""
    middle = len(intent.ids) // 2
    return [Intent(intent.task, intent.ids[:middle]), Intent(intent.task, intent.ids[middle:])] if middle else []
