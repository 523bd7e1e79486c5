"""The work behind the pages for programs: what the page /queue shows and does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request

from monitor.core.roles import Role
from monitor.store.queue import Job, QueueState, list_jobs, queue_states, retry_job
from monitor.store.slots import last_slots
from monitor.ticks import TICKS
from monitor.web.access import Operator, guarded_api
from monitor.web.asked import RowId, app_of

router = guarded_api(Role.OPERATOR, tags=["operator"])


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A job of the schedule: how often it fires (seconds), and for which time it did last (None: never)."""

    name: str
    every: float
    last: datetime | None


@router.get("/schedule")
def schedule(request: Request) -> list[Scheduled]:
    """The schedule, and when each of its jobs fired last."""
    with app_of(request).database.read() as session:
        fired = last_slots(session)
    return [Scheduled(tick.name, tick.every.total_seconds(), fired.get(tick.name)) for tick in TICKS]


@router.get("/queue")
def queues(request: Request) -> list[QueueState]:
    """The queues of a cluster; an installation of one process has none."""
    with app_of(request).database.read() as session:
        return queue_states(session)


@router.get("/queue/dead")
def dead_letters(request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 50) -> list[Job]:
    """The jobs that failed for good, the latest first."""
    with app_of(request).database.read() as session:
        return list_jobs(session, "failed", limit=limit)


@router.post("/queue/{job_id}/retry", status_code=204)
def retry(request: Request, job_id: RowId, operator: Operator) -> None:
    """Take up a job that failed for good."""
    app = app_of(request)
    with app.database.write() as session:
        retry_job(session, job_id, actor=operator.address, now=app.clock())
