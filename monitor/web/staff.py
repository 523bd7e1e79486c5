"""The staff, for operators: who they are, invitations, roles, sessions, and taking somebody off.

Addresses travel in forms, never in the address of a page: those are logged by proxies.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from monitor.core.roles import STAFF_ROLES, Role, role_of
from monitor.errors import Conflict
from monitor.staff.people import add_staff, remove_staff
from monitor.staff.sign_in import invite, sign_out
from monitor.store.staff import list_people, load_staff
from monitor.store.tables import StaffRow
from monitor.texts import marked as _
from monitor.web.access import Operator, guarded
from monitor.web.account import ROLE_NAMES
from monitor.web.asked import app_of
from monitor.web.flash import back_to
from monitor.web.forms import Entered, Posted
from monitor.web.languages import reader_language
from monitor.web.rendering import own_page

router = guarded(Role.OPERATOR, prefix="/staff")


@router.get("")
def show(request: Request) -> HTMLResponse:
    """Everybody on the staff, and the form that invites."""
    return _page(request, Entered({"role": Role.REVIEWER.word}))


@router.post("")
def add(request: Request, operator: Operator, form: Posted) -> Response:
    """Invite somebody: they are mailed a link to sign in."""
    app = app_of(request)
    entered = Entered.of_form(form)
    address, role = entered.address(), _role(entered)
    if entered.errors:
        return _page(request, entered, status=422)
    try:
        with app.database.write() as session:
            invite(
                session,
                address,
                role,
                actor=operator.address,
                language=reader_language(request),
                domain=app.settings.mail_domain,
                now=app.clock(),
            )
    except Conflict as error:
        return _refused(request, error)
    return back_to(request, "/staff", _("A link to sign in is on its way to %(address)s.", address=address))


@router.post("/role")
def change_role(request: Request, operator: Operator, form: Posted) -> Response:
    """Give somebody another role; they sign in again with it."""
    app = app_of(request)
    entered = Entered.of_form(form)
    role = _role(entered)
    if entered.errors:
        return _page(request, entered, status=422)
    with app.database.write() as session:
        person = _person(session, entered)
        try:
            add_staff(session, person.address, role, actor=operator.address, now=app.clock())
        except Conflict as error:
            return _refused(request, error)
    return back_to(request, "/staff", _("%(address)s has another role, and signs in anew.", address=person.address))


@router.post("/sign-out")
def end_sessions(request: Request, operator: Operator, form: Posted) -> Response:
    """End all sessions of somebody, as when a device is lost."""
    app = app_of(request)
    with app.database.write() as session:
        person = _person(session, Entered.of_form(form))
        ended = sign_out(session, person.id or 0, None, actor=operator.address, now=app.clock())
    said = _("%(address)s is signed out everywhere; sessions: %(count)s.", address=person.address, count=ended)
    return back_to(request, "/staff", said)


@router.post("/remove")
def withdraw(request: Request, operator: Operator, form: Posted) -> Response:
    """Take somebody off the staff; their verdicts stay."""
    app = app_of(request)
    with app.database.write() as session:
        person = _person(session, Entered.of_form(form))
        try:
            remove_staff(session, person.address, actor=operator.address, now=app.clock())
        except Conflict as error:
            return _refused(request, error)
    return back_to(request, "/staff", _("%(address)s is not on the staff any more.", address=person.address))


def _refused(request: Request, error: Conflict) -> Response:
    return back_to(request, "/staff", error.text, failed=True)


def _person(session: Session, entered: Entered) -> StaffRow:
    return load_staff(session, entered.text("address"))


def _role(entered: Entered) -> Role:
    word = entered.text("role")
    if word in {role.word for role in STAFF_ROLES}:
        return role_of(word)
    entered.errors["role"] = _("Choose a role.")
    return Role.PUBLIC


def _page(request: Request, entered: Entered, *, status: int = 200) -> HTMLResponse:
    app = app_of(request)
    now = app.clock()
    with app.database.read() as session:
        people = list_people(session, now)
    return own_page(
        request,
        "desk/staff.html",
        status=status,
        people=people,
        roles=[(role.word, ROLE_NAMES[role]) for role in STAFF_ROLES],
        operators=sum(person.role == Role.OPERATOR.word for person in people),
        entered=entered,
        now=now,
    )
