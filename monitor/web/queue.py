"""The work behind the pages: the schedule, the queue of a cluster, and the jobs that failed for good."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from monitor.core.roles import Role
from monitor.store import queue, slots
from monitor.texts import marked as _
from monitor.ticks import TICKS
from monitor.web.access import Operator, guarded
from monitor.web.asked import RowId, app_of
from monitor.web.flash import back_to
from monitor.web.rendering import own_page

router = guarded(Role.OPERATOR)

_DEAD_LETTERS = 100


@router.get("/queue")
def show(request: Request) -> HTMLResponse:
    """The schedule, every queue, and the dead letters."""
    app = app_of(request)
    now, cluster = app.clock(), not app.database.is_sqlite
    with app.database.read() as session:
        fired = slots.last_slots(session)
        states = queue.queue_states(session)
        dead = queue.list_jobs(session, "failed", limit=_DEAD_LETTERS)
    schedule = [(tick, fired.get(tick.name)) for tick in TICKS]
    return own_page(request, "queue.html", cluster=cluster, schedule=schedule, states=states, dead=dead, now=now)


@router.post("/queue/{job_id}/retry")
def retry(request: Request, visitor: Operator, job_id: RowId) -> Response:
    """Take a dead letter up again."""
    app = app_of(request)
    with app.database.write() as session:
        queue.retry_job(session, job_id, actor=visitor.address, now=app.clock())
    return back_to(request, "/queue", _("The job is due again."))
