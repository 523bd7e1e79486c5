"""Signing in by a mailed link, and signing out."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from monitor.core.roles import Role
from monitor.staff.sign_in import Opened, SignInState, request_sign_in, sign_in_of, sign_in_state, sign_out
from monitor.staff.sign_in import sign_in as open_session
from monitor.store.tables import SignInRow
from monitor.texts import marked as _
from monitor.web.access import give_session, guarded, take_session, visitor_of
from monitor.web.asked import app_of
from monitor.web.flash import back_to
from monitor.web.forms import Entered, Posted
from monitor.web.languages import reader_language
from monitor.web.limits import within_form_limit
from monitor.web.paths import own_path
from monitor.web.rendering import own_page, too_many_page

router = guarded(Role.PUBLIC)

_OVER = {SignInState.USED: 410, SignInState.EXPIRED: 410, SignInState.NOBODY: 410}


@router.get("/sign-in")
def form(request: Request) -> HTMLResponse:
    """The form that asks for the address."""
    return _form(request, Entered({}), request.query_params.get("next"))


@router.post("/sign-in")
def mail_link(request: Request, form: Posted) -> HTMLResponse:
    """Mail a link to sign in; the answer is the same for every address."""
    app = app_of(request)
    entered = Entered.of_form(form)
    address = entered.address()
    if entered.errors:
        return _form(request, entered, entered.text("next"), status=422)
    with app.database.write() as session:
        if not within_form_limit(request, session, "sign-in"):
            return too_many_page(request)
        request_sign_in(
            session,
            address,
            language=reader_language(request),
            next_page=own_path(entered.text("next")),
            domain=app.settings.mail_domain,
            now=app.clock(),
        )
    return own_page(request, "sign_in.html", entered=entered, sent=True, next="")


@router.get("/sign-in/{token}")
def ask(request: Request, token: str) -> HTMLResponse:
    """Show a button: mail scanners open every link, and must not use it up."""
    app = app_of(request)
    with app.database.read() as session:
        row = sign_in_of(session, app.key, token)
        return _link_page(request, row, sign_in_state(session, row, app.clock()), Entered({}))


@router.post("/sign-in/{token}")
def open_(request: Request, token: str, form: Posted) -> Response:
    """Open a session, once, and go on to the page that was asked for."""
    app = app_of(request)
    entered = Entered.of_form(form)
    device = request.headers.get("user-agent", "")
    with app.database.write() as session:
        row = sign_in_of(session, app.key, token, lock=True)
        state = sign_in_state(session, row, app.clock())
        address = entered.address() if state is SignInState.FIRST_OPERATOR and not row.address else ""
        if entered.errors:
            return _link_page(request, row, state, entered, status=422)
        opened = open_session(session, row, address=address, device=device, now=app.clock())
    if not isinstance(opened, Opened):
        return _link_page(request, row, opened, entered)
    response = RedirectResponse(own_path(opened.next), status_code=303)
    give_session(app, response, opened.token)
    return response


@router.post("/sign-out")
def leave(request: Request) -> Response:
    """End the session of this browser."""
    app = app_of(request)
    visitor = visitor_of(request)
    if visitor.holder and not visitor.by_key:
        with app.database.write() as session:
            holder = visitor.holder
            sign_out(session, holder.staff_id, holder.row_id, actor=holder.address, now=app.clock())
    response = back_to(request, "/", _("You are signed out."))
    take_session(app, response)
    return response


def _form(request: Request, entered: Entered, next_page: str | None, *, status: int = 200) -> HTMLResponse:
    return own_page(request, "sign_in.html", status=status, entered=entered, sent=False, next=own_path(next_page))


def _link_page(
    request: Request, row: SignInRow, state: SignInState, entered: Entered, *, status: int = 200
) -> HTMLResponse:
    status = _OVER.get(state, status)
    return own_page(request, "sign_in_link.html", status=status, state=state.name, address=row.address, entered=entered)
