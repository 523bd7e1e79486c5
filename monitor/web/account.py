"""One's own account: where one is signed in, and the keys of one's programs."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from monitor.core.roles import STAFF_ROLES, Role, role_of
from monitor.errors import Conflict, Refused
from monitor.staff.api_tokens import create_token, revoke_token
from monitor.staff.sign_in import sign_out
from monitor.store.staff import Holder, list_sessions, list_tokens
from monitor.texts import marked as _
from monitor.web.access import Viewer, Visitor, guarded, take_session
from monitor.web.asked import RowId, app_of
from monitor.web.flash import back_to
from monitor.web.forms import Entered, Posted
from monitor.web.rendering import own_page

router = guarded(Role.VIEWER)

ROLE_NAMES = {
    Role.VIEWER: _("Viewer"),
    Role.REVIEWER: _("Reviewer"),
    Role.EDITOR: _("Editor"),
    Role.OPERATOR: _("Operator"),
}


@router.get("/account")
def show(request: Request, visitor: Viewer) -> HTMLResponse:
    """Sessions and keys."""
    return _page(request, _holder(visitor), Entered({}))


@router.post("/account/sessions/end")
def end_all(request: Request, visitor: Viewer) -> Response:
    """Sign out everywhere."""
    app = app_of(request)
    holder = _holder(visitor)
    with app.database.write() as session:
        sign_out(session, holder.staff_id, None, actor=holder.address, now=app.clock())
    response = RedirectResponse("/sign-in", status_code=303)
    take_session(app, response)
    return response


@router.post("/account/sessions/{session_id}/end")
def end_one(request: Request, visitor: Viewer, session_id: RowId) -> Response:
    """Sign out in another browser; one that has ended meanwhile is what was wanted."""
    app = app_of(request)
    holder = _holder(visitor)
    with app.database.write() as session:
        sign_out(session, holder.staff_id, session_id, actor=holder.address, now=app.clock())
    return back_to(request, "/account", _("You are signed out there."))


@router.post("/account/keys")
def make_key(request: Request, visitor: Viewer, form: Posted) -> HTMLResponse:
    """Make a key, and show it this once."""
    app = app_of(request)
    holder, entered = _holder(visitor), Entered.of_form(form)
    try:
        role = role_of(entered.text("role"))
        with app.database.write() as session:
            token = create_token(session, holder, entered.text("name"), role, now=app.clock())
    except ValueError:
        entered.errors["role"] = _("Choose a role.")
    except (Refused, Conflict) as error:
        entered.errors["name"] = error.text
    if entered.errors:
        return _page(request, holder, entered, status=422)
    return _page(request, holder, Entered({}), token=token)


@router.post("/account/keys/{key_id}/delete")
def delete_key(request: Request, visitor: Viewer, key_id: RowId) -> Response:
    """Make a key useless."""
    app = app_of(request)
    with app.database.write() as session:
        revoke_token(session, _holder(visitor), key_id, now=app.clock())
    return back_to(request, "/account", _("The key is deleted."))


def _holder(visitor: Visitor) -> Holder:
    assert visitor.holder is not None, "the guard has seen to it"  # noqa: S101 - for the type checker
    return visitor.holder


def _page(request: Request, holder: Holder, entered: Entered, *, token: str = "", status: int = 200) -> HTMLResponse:
    app = app_of(request)
    now = app.clock()
    with app.database.read() as session:
        return own_page(
            request,
            "account.html",
            status=status,
            now=now,
            token=token,
            entered=entered,
            role_names=ROLE_NAMES,
            roles=[(role.word, ROLE_NAMES[role]) for role in STAFF_ROLES if role <= holder.role],
            sessions=list_sessions(session, holder.staff_id, now),
            tokens=list_tokens(session, holder.staff_id),
        )
