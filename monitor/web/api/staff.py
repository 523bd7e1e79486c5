"""The staff for programs: what the page /staff does. Addresses travel in bodies, never in the address of a request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, StringConstraints, WithJsonSchema

from monitor.core.languages import Language
from monitor.core.roles import STAFF_ROLES, Role, role_of
from monitor.staff.people import add_staff, remove_staff
from monitor.staff.sign_in import invite, sign_out
from monitor.store.staff import Person, list_people, load_staff
from monitor.web.access import Operator, guarded_api
from monitor.web.asked import app_of

router = guarded_api(Role.OPERATOR, tags=["operator"])

Address = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\x00]*$", to_lower=True, strip_whitespace=True)]
StaffRole = Annotated[
    Role, BeforeValidator(role_of), WithJsonSchema({"type": "string", "enum": [role.word for role in STAFF_ROLES]})
]


class OfStaff(BaseModel):
    """Somebody, by their address."""

    address: Address


class WithRole(OfStaff):
    """Somebody, and what they may do."""

    role: StaffRole


class Invited(WithRole):
    """Whom to invite, and the language of the mail with the link to sign in."""

    language: Language = Language.EN


@router.get("/staff")
def staff(request: Request) -> list[Person]:
    """Everybody on the staff, by address."""
    app = app_of(request)
    with app.database.read() as session:
        return list_people(session, app.clock())


@router.post("/staff", status_code=204)
def add(request: Request, operator: Operator, body: Invited) -> None:
    """Invite somebody: they are mailed a link to sign in."""
    app = app_of(request)
    with app.database.write() as session:
        invite(
            session,
            body.address,
            body.role,
            actor=operator.address,
            language=body.language,
            domain=app.settings.mail_domain,
            now=app.clock(),
        )


@router.post("/staff/role", status_code=204)
def change_role(request: Request, operator: Operator, body: WithRole) -> None:
    """Give somebody another role; they sign in again with it."""
    app = app_of(request)
    with app.database.write() as session:
        person = load_staff(session, body.address)
        add_staff(session, person.address, body.role, actor=operator.address, now=app.clock())


@router.post("/staff/sign-out")
def end_sessions(request: Request, operator: Operator, body: OfStaff) -> dict[str, int]:
    """End all sessions of somebody, as when a device is lost; how many there were."""
    app = app_of(request)
    with app.database.write() as session:
        person = load_staff(session, body.address)
        return {"ended": sign_out(session, person.id or 0, None, actor=operator.address, now=app.clock())}


@router.post("/staff/remove", status_code=204)
def withdraw(request: Request, operator: Operator, body: OfStaff) -> None:
    """Take somebody off the staff; their verdicts stay."""
    app = app_of(request)
    with app.database.write() as session:
        remove_staff(session, body.address, actor=operator.address, now=app.clock())
