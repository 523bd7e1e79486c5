"""The reviewer's hand on the match log: verdicts, notes, who is to judge, and undo.

With htmx the answer holds the lines that changed, each of which takes its own place, and what was done. Without scripts
it goes back to the page that the form was on.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from monitor.core.ids import read_id
from monitor.core.roles import Role
from monitor.errors import Refused
from monitor.review.log import log_lines
from monitor.review.verdicts import assign, judge, undo
from monitor.store.watchlist import topic_names
from monitor.texts import marked as _
from monitor.web.access import Reviewer, guarded
from monitor.web.asked import RowId, app_of
from monitor.web.flash import back_to
from monitor.web.forms import Posted
from monitor.web.languages import reader_language
from monitor.web.matches import verdict_names
from monitor.web.paths import path_of
from monitor.web.rendering import own_page

router = guarded(Role.REVIEWER)


@router.post("/matches/{match_id}/verdict")
def judge_one(request: Request, visitor: Reviewer, match_id: RowId, form: Posted) -> Response:
    """Give one match a verdict, or a note."""
    app = app_of(request)
    word, note = _text(form, "word"), form.get("note")
    with app.database.write() as session:
        judged = judge(
            session,
            [match_id],
            word,
            reviewer=visitor.address,
            now=app.clock(),
            note=note if isinstance(note, str) else None,
        )
    return _answer(request, judged, _("Written down."))


@router.post("/matches/verdicts")
def judge_selected(request: Request, visitor: Reviewer, form: Posted) -> Response:
    """Give all selected matches a verdict, or somebody who is to judge them."""
    app = app_of(request)
    ids = _ids(form, "ids")
    if not ids:
        raise Refused(_("Select some matches first."))
    with app.database.write() as session:
        if word := _text(form, "word"):
            ids = judge(session, ids, word, reviewer=visitor.address, now=app.clock())
        else:
            assign(session, ids, _text(form, "assignee"), actor=visitor.address, now=app.clock())
    return _answer(request, ids, _("%(count)s matches changed.", count=len(ids)))


@router.post("/matches/{match_id}/assignee")
def take_on(request: Request, visitor: Reviewer, match_id: RowId, form: Posted) -> Response:
    """Say who is to judge one match."""
    app = app_of(request)
    with app.database.write() as session:
        assign(session, [match_id], _text(form, "assignee"), actor=visitor.address, now=app.clock())
    return _answer(request, [match_id], _("Written down."))


@router.post("/matches/undo")
def take_back(request: Request, visitor: Reviewer, form: Posted) -> Response:
    """Take back what one did last."""
    app = app_of(request)
    with app.database.write() as session:
        undone = undo(session, reviewer=visitor.address, now=app.clock())
    shown = set(_ids(form, "shown"))
    taken_back = _("%(count)s verdicts taken back.", count=len(undone))
    text = taken_back if undone else _("There is nothing to take back.")
    return _answer(request, [one for one in undone if one in shown], text)


def _answer(request: Request, ids: Sequence[int], text: str) -> Response:
    if "hx-request" not in request.headers:
        back = path_of(request.headers.get("referer"), request.url.netloc) or "/matches"
        return back_to(request, back, text)
    app = app_of(request)
    language = reader_language(request)
    with app.database.read() as session:
        lines = log_lines(session, ids)
        names = topic_names(session, language)
    response = own_page(
        request,
        "matches/changed.html",
        lines=lines,
        text=text,
        topic_names=names,
        names=verdict_names(),
        can_judge=True,
    )
    response.headers["HX-Trigger"] = "judged"
    return response


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _ids(form: FormData, name: str) -> list[int]:
    values = [value for value in form.getlist(name) if isinstance(value, str)]
    ids = list(map(read_id, values))
    if not all(ids):
        raise Refused(_("%(name)s: these are not the ids of matches", name=name))
    return ids
