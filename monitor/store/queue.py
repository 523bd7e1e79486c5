"""The queue of the cluster mode: jobs wait in Procrastinate's tables, beside the rows that they are about.

A job is put into the queue in the transaction of the session, by Procrastinate's own SQL function: it is there if,
and only if, the rows that called for it are. Workers fetch jobs through Procrastinate itself; what is here is all that
others need: to enqueue, to look, to rescue what a dead worker held, and to take up dead letters.

An id that some job of its task holds already is not enqueued again: ticks name what is due until it is done, and a
queue behind which the workers lag would otherwise grow by the same ids with each tick.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from monitor.errors import Conflict, NotFound
from monitor.store.events import record_event
from monitor.texts import marked as _

DEAD_LETTER_REST = timedelta(days=1)
"""For so long a dead letter keeps its ids from being enqueued anew; after that the rows call for them again."""


@dataclass(frozen=True, slots=True)
class Work:
    """A job to enqueue: a task's name, the ids it is for, its queue, and its priority; the higher goes first."""

    queue: str
    task: str
    ids: tuple[int, ...]
    priority: int = 0


@dataclass(frozen=True, slots=True)
class QueueState:
    """How a queue stands: jobs that wait, run, wait for another attempt, and have failed for good.

    ``age`` is how long the job has waited that waits longest; ``done`` is the number of jobs done in the last hour.
    """

    queue: str
    waiting: int
    running: int
    again: int
    dead: int
    age: timedelta
    done: int


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in the queue; ``at`` is when it came into its present state."""

    id: int
    queue: str
    task: str
    ids: tuple[int, ...]
    state: str
    attempts: int
    at: datetime | None
    next_attempt_at: datetime | None


def enqueue(session: Session, work: Sequence[Work], now: datetime, *, besides: int | None = None) -> int:
    """Put jobs into the queue, in the session's transaction.

    Args:
        session: An open writing transaction.
        work: The jobs; ids that are in a job of the same task already are left out.
        now: The present, aware UTC.
        besides: A job that does not count: the one that asks, whose ids are in it.

    Returns:
        How many jobs were enqueued.
    """
    held = _held(session, work, now, besides)
    rows = [_row(job, left) for job in work if (left := [i for i in job.ids if (job.task, i) not in held])]
    if rows:
        session.connection().execute(_DEFER, {"jobs": json.dumps(rows)})
    return len(rows)


def _row(job: Work, ids: Sequence[int]) -> dict[str, Any]:
    return {"queue_name": job.queue, "task_name": job.task, "priority": job.priority, "args": {"ids": list(ids)}}


def _held(session: Session, work: Sequence[Work], now: datetime, besides: int | None) -> set[tuple[str, int]]:
    pairs = [(job.task, row) for job in work for row in job.ids]
    asked = {
        "tasks": [task for task, _ in pairs],
        "ids": [row for _, row in pairs],
        "besides": besides or 0,
        "since": now - DEAD_LETTER_REST,
    }
    return {(task, item) for task, item in session.connection().execute(_HELD, asked)} if pairs else set()


_DEFER = text("""
    SELECT procrastinate_defer_jobs_v1(ARRAY(
        SELECT job FROM jsonb_populate_recordset(
            CAST(NULL AS procrastinate_job_to_defer_v1), CAST(:jobs AS jsonb)
        ) AS job
    ))
""")

_HELD = text("""
    WITH asked AS (
        SELECT * FROM unnest(CAST(:tasks AS text[]), CAST(:ids AS bigint[])) AS asked (task, id)
    ), holding AS (
        SELECT id, task_name, args FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
        UNION ALL
        SELECT id, task_name, args FROM procrastinate_jobs AS job
        WHERE status = 'failed'
          AND EXISTS (SELECT FROM procrastinate_events WHERE job_id = job.id AND type = 'failed' AND at > :since)
    )
    SELECT asked.task, asked.id FROM holding
    CROSS JOIN LATERAL jsonb_array_elements(args -> 'ids') AS element
    JOIN asked ON asked.task = task_name AND asked.id = CAST(element AS bigint)
    WHERE holding.id <> :besides
""")


def rescue(session: Session, *, silent_for: timedelta) -> int:
    """Put the jobs of workers that have been silent for so long back into the queue; their number."""
    asked = {"seconds": silent_for.total_seconds()}
    session.connection().execute(_FORGET_WORKERS, asked)
    ids = list(session.connection().execute(_ABANDONED).scalars())
    session.connection().execute(_PUT_BACK, {"ids": ids})
    return len(ids)


_FORGET_WORKERS = text("SELECT procrastinate_prune_stalled_workers_v1(:seconds)")
# A job that is being done by nobody: its worker's row is gone, and with it the job's reference to it.
_ABANDONED = text("""
    SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL FOR UPDATE SKIP LOCKED
""")
_PUT_BACK = text(
    "SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM unnest(CAST(:ids AS bigint[])) AS id"
)


def queue_states(session: Session) -> list[QueueState]:
    """How each queue stands that ever held a job not forgotten yet, by name."""
    rows = session.connection().execute(_STATES) if _has_queue(session) else ()
    return [
        QueueState(*counts, age=timedelta(seconds=float(age)), done=done)  # type: ignore[misc]  # five columns before
        for *counts, age, done in rows
    ]


_STATES = text("""
    SELECT job.queue_name,
        count(*) FILTER (WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())),
        count(*) FILTER (WHERE status = 'doing'),
        count(*) FILTER (WHERE status = 'todo' AND scheduled_at > now()),
        count(*) FILTER (WHERE status = 'failed'),
        coalesce(extract(epoch FROM max(now() - coalesce(scheduled_at, event.at)) FILTER (
            WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
        )), 0),
        count(*) FILTER (WHERE status = 'succeeded' AND event.at > now() - interval '1 hour')
    FROM procrastinate_jobs AS job
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = job.id
    ) AS event ON true
    GROUP BY job.queue_name ORDER BY job.queue_name
""")

STATES = ("todo", "doing", "failed", "succeeded")
"""The states that jobs can be listed by; a failed one is a dead letter."""


def list_jobs(session: Session, state: str, *, limit: int = 100) -> list[Job]:
    """The jobs in a state, those that came into it last first."""
    return [_job(row) for row in _find_jobs(session, {"status": state, "id": None, "limit": limit})]


def load_job(session: Session, job_id: int) -> Job:
    """A job.

    Raises:
        NotFound: There is no such job; those that are done are forgotten after an hour.
    """
    found = _find_jobs(session, {"status": None, "id": job_id, "limit": 1})
    if not found:
        raise NotFound(_("job %(job_id)s: no such job; see `monitor queue list`", job_id=str(job_id)))
    return _job(found[0])


def _find_jobs(session: Session, asked: dict[str, Any]) -> Sequence[Any]:
    return session.connection().execute(_JOBS, asked).all() if _has_queue(session) else ()


def _has_queue(session: Session) -> bool:
    """Whether jobs wait in the database; an installation of one process (SQLite) has no tables for them."""
    return session.get_bind().dialect.name != "sqlite"


def _job(row: Any) -> Job:
    return Job(
        row.id, row.queue_name, row.task_name, tuple(row.ids), row.status, row.attempts, row.at, row.scheduled_at
    )


_JOBS = text("""
    SELECT id, queue_name, task_name, args -> 'ids' AS ids, status, attempts, scheduled_at,
        (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id) AS at
    FROM procrastinate_jobs AS job
    WHERE (CAST(:status AS text) IS NULL OR status = CAST(:status AS procrastinate_job_status))
      AND (CAST(:id AS bigint) IS NULL OR id = :id)
    ORDER BY id DESC LIMIT :limit
""")


def retry_job(session: Session, job_id: int, *, actor: str, now: datetime) -> Job:
    """Take up a dead letter: it is due at once, and has its attempts anew.

    Raises:
        NotFound: There is no such job.
        Conflict: It is no dead letter.
    """
    job = load_job(session, job_id)
    taken = session.connection().execute(_REVIVE, {"id": job_id})
    if not taken.rowcount:
        raise Conflict(
            _(
                "job %(job_id)s is %(state)s; only one that failed can be taken up again",
                job_id=str(job_id),
                state=job.state,
            )
        )
    record_event(
        session, now, actor=actor, action=_("retried"), noun="job", noun_id=str(job_id), detail={"task": job.task}
    )
    return job


_REVIVE = text("""
    UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = now(), worker_id = NULL
    WHERE id = :id AND status = 'failed'
""")


def prune_jobs(session: Session, *, done_before: datetime, dead_before: datetime) -> int:
    """Forget the jobs done before a time, and the dead letters of before another; their number."""
    asked = {"done": done_before, "dead": dead_before}
    return session.connection().execute(_PRUNE, asked).rowcount


_PRUNE = text("""
    DELETE FROM procrastinate_jobs AS job
    USING (
        SELECT job_id, max(at) AS at FROM procrastinate_events
        WHERE type IN ('succeeded', 'failed', 'aborted', 'cancelled') GROUP BY job_id
    ) AS ended
    WHERE ended.job_id = job.id AND (
        (job.status IN ('succeeded', 'aborted', 'cancelled') AND ended.at < :done)
        OR (job.status = 'failed' AND ended.at < :dead)
    )
""")
