"""Adding people to the staff, giving them another role, and taking them off it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from monitor.core.address import normalised_address
from monitor.core.roles import Role
from monitor.errors import Conflict
from monitor.store.events import record_event
from monitor.store.staff import end_sessions, find_staff, load_staff, lock_operators
from monitor.store.tables import StaffRow
from monitor.texts import marked as _

LAST_OPERATOR = _("This is the only operator. Make somebody else one first.")


def add_staff(session: Session, address: str, role: Role, *, actor: str, now: datetime) -> StaffRow:
    """Add a person, or give one who is there another role; their sessions end when the role changes.

    Raises:
        Refused: The address is none.
        Conflict: The only operator would be none any more.
    """
    address = normalised_address(address)
    person = find_staff(session, address)
    if person is None:
        person = StaffRow(address=address, role=role.word, added_at=now)
        session.add(person)
        session.flush()
        _record(session, _("added"), person, actor, now)
    elif person.role != role.word:
        _keep_an_operator(session, person, role)
        person.role = role.word
        session.add(person)
        end_sessions(session, person.id or 0)
        _record(session, _("given another role"), person, actor, now)
    return person


def remove_staff(session: Session, address: str, *, actor: str, now: datetime) -> None:
    """Take a person off the staff; their sessions and keys end with it, their verdicts stay.

    Raises:
        NotFound: Nobody on the staff has the address.
        Conflict: They are the only operator.
    """
    person = load_staff(session, normalised_address(address))
    _keep_an_operator(session, person, Role.PUBLIC)
    _record(session, _("removed"), person, actor, now)
    session.delete(person)


def _keep_an_operator(session: Session, person: StaffRow, role: Role) -> None:
    if role is not Role.OPERATOR and lock_operators(session) == [person.address]:
        raise Conflict(LAST_OPERATOR)


def _record(session: Session, action: str, person: StaffRow, actor: str, now: datetime) -> None:
    detail = {"role": person.role}
    record_event(session, now, actor=actor, action=action, noun="staff", noun_id=str(person.id), detail=detail)
