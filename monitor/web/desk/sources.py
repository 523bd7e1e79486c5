"""The sources: how each fares, its visits, and what an editor does about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from monitor.app import App, Intent
from monitor.core.paging import cursor, read_cursor
from monitor.core.roles import Role
from monitor.errors import Conflict, Transient
from monitor.polling.opml import write_opml
from monitor.store.events import audit_trail
from monitor.store.hubs import hub_of
from monitor.store.source_health import rhythms
from monitor.store.source_list import (
    CONDITIONS,
    StoredVisit,
    condition,
    latest_items,
    list_visits,
    list_with_health,
    weekly_items,
)
from monitor.store.sources import end_source, find_source, load_specs, set_source_state
from monitor.store.tables import SourceRow
from monitor.tasks import drain, visit_now
from monitor.texts import marked as _
from monitor.web.access import Editor, guarded
from monitor.web.asked import Slug, Word, app_of, read_words
from monitor.web.charts import bar_chart
from monitor.web.flash import back_to
from monitor.web.limits import throttled
from monitor.web.rendering import own_page

router = guarded(Role.VIEWER, prefix="/sources")

_VISITS = 30
_ITEMS = 10


@router.get("")
def overview(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    country: Word = "",
    language: Word = "",
    state: Word = "",
) -> HTMLResponse:
    """The table of health, with how many sources are in which condition."""
    app = app_of(request)
    now = app.clock()
    with app.database.read() as session:
        every = list_with_health(session, now)
        asked = {"text": read_words(q), "country": country, "language": language, "state": state}
        found = list_with_health(session, now, **asked) if any(asked.values()) else every
    most = max((max(source.weekly) for source in found), default=0)
    return own_page(
        request,
        "desk/sources.html",
        sources=[(source, bar_chart(source.weekly)) for source in found],
        most=most,
        counts=[(name, sum(source.condition == name for source in every)) for name in CONDITIONS],
        countries=sorted({source.country for source in every}),
        total=len(every),
        asked={"q": q, "country": country, "language": language, "state": state},
        now=now,
    )


@router.get("/export.opml")
def export(request: Request) -> Response:
    """The feeds as OPML, for any other feed reader."""
    app = app_of(request)
    with app.database.read() as session:
        specs = load_specs(session)
    headers = {"Content-Disposition": 'attachment; filename="sources.opml"', "Cache-Control": "no-store"}
    body = write_opml(specs, now=app.clock())
    return Response(body, media_type="text/x-opml", headers=headers)


@router.get("/{slug}")
def show(request: Request, slug: Slug, after: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """One source: its state, its weeks, its visits and its latest items."""
    app = app_of(request)
    now = app.clock()
    before = read_cursor(after, int)[0] if after else None
    with app.database.read() as session:
        row = find_source(session, slug)
        source_id = row.id or 0
        rhythm = rhythms(session, now).get(source_id)
        visits = list_visits(session, source_id, before_id=before, limit=_VISITS + 1)
        weekly = weekly_items(session, now, source_id=source_id).get(source_id, ())
        values: dict[str, Any] = {
            "hub": hub_of(session, source_id),
            "items": latest_items(session, source_id, limit=_ITEMS),
            "events": audit_trail(session, noun="source", noun_id=slug, limit=20),
        }
    return own_page(
        request,
        "desk/source.html",
        source=row,
        condition=condition(row, rhythm),
        rhythm=rhythm,
        chart=bar_chart(weekly),
        visits=visits[:_VISITS],
        following=f"/sources/{slug}?after={cursor(visits[_VISITS - 1].id)}" if len(visits) > _VISITS else "",
        progress=_progress(request, row, visits, None),
        now=now,
        **values,
    )


@router.post("/{slug}/visit", dependencies=[Depends(throttled)])
def visit(request: Request, slug: Slug, editor: Editor, background: BackgroundTasks) -> Response:
    """Have the source visited at once; the page then tells how it goes."""
    app = app_of(request)
    with app.database.read() as session:
        row = find_source(session, slug)
        last = list_visits(session, row.id or 0, limit=1)
    try:
        intents = visit_now(app, slug, actor=editor.address)
    except Conflict as error:
        return back_to(request, f"/sources/{slug}", error.text, failed=True)
    response = back_to(request, f"/sources/{slug}?since={last[0].id if last else 0}#progress")
    if intents:
        background.add_task(carry_out, app, intents)
        response.background = background
    return response


@router.get("/{slug}/progress")
def progress(request: Request, slug: Slug, since: Annotated[int, Query(ge=0, lt=2**62)] = 0) -> HTMLResponse:
    """How the visit goes that was asked for, as a part of the page."""
    app = app_of(request)
    with app.database.read() as session:
        row = find_source(session, slug)
        visits = list_visits(session, row.id or 0, limit=1)
    shown = _progress(request, row, visits, since)
    return own_page(request, "desk/source_progress.html", source=row, progress=shown, now=app.clock())


@router.post("/{slug}/pause")
def pause(request: Request, slug: Slug, editor: Editor) -> Response:
    """Stop visiting the source until it is resumed."""
    return _set_state(
        request, slug, "paused", editor.address, _("The source is paused. Nothing is read until you resume it.")
    )


@router.post("/{slug}/resume")
def resume(request: Request, slug: Slug, editor: Editor) -> Response:
    """Visit a paused or ended source again."""
    return _set_state(request, slug, "active", editor.address, _("The source is active; its next visit is due now."))


@router.post("/{slug}/end")
def end(request: Request, slug: Slug, editor: Editor) -> Response:
    """Stop visiting the source for good; its items stay."""
    app = app_of(request)
    with app.database.write() as session:
        end_source(session, slug, actor=editor.address, now=app.clock(), reason="ended on its page")
    return back_to(request, f"/sources/{slug}", _("The source has ended. Its items stay; resume it to undo this."))


def _set_state(request: Request, slug: str, state: str, actor: str, said: str) -> Response:
    app = app_of(request)
    with app.database.write() as session:
        set_source_state(session, slug, state, actor=actor, now=app.clock())
    return back_to(request, f"/sources/{slug}", said)


def carry_out(app: App, intents: list[Intent]) -> None:
    """Visit, and match what it brings; when the database is busy, the lease runs out and the schedule takes over."""
    try:
        drain(app, intents)
    except Transient:
        return


def _progress(request: Request, row: SourceRow, visits: Any, since: int | None) -> dict[str, Any] | None:
    """How far a visit is that was asked for after the one with the id ``since``; None where none was."""
    asked = request.query_params.get("since", "") if since is None else str(since)
    if not asked.isdecimal() or len(asked) > 18:
        return None
    app = app_of(request)
    latest: StoredVisit | None = visits[0] if visits else None
    if latest and latest.id > int(asked):
        return {"phase": "done", "since": int(asked), "visit": latest}
    busy = row.lease_until is not None and row.lease_until > app.clock()
    return {"phase": "visiting" if busy else "waiting", "since": int(asked), "visit": None}
