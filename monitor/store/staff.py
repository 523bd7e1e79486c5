"""The staff: people, their requests to sign in, their sessions and the keys of their programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import String, cast, delete, func, or_, update
from sqlmodel import Session, col, select

from monitor.core.roles import Role, role_of
from monitor.errors import NotFound
from monitor.store.tables import ApiTokenRow, EventRow, SignInRow, StaffRow, StaffSessionRow
from monitor.texts import marked as _

SIGNED_IN = _("signed in")
"""What the audit trail says when somebody opens a session."""


class Holder(NamedTuple):
    """Who holds a session or a key: the row's id, the person, and what they may do through it."""

    row_id: int
    staff_id: int
    address: str
    role: Role
    seen_at: datetime | None


_PERSON = (StaffRow.id, StaffRow.address, StaffRow.role)


def hashed(secret: str) -> str:
    """What is stored of a secret. It is random and long, so that no salt and no slow hash are needed."""
    return sha256(secret.encode()).hexdigest()


# ---- people --------------------------------------------------------------------------------------------------------


def list_staff(session: Session) -> list[StaffRow]:
    """Everybody on the staff, by address."""
    return list(session.exec(select(StaffRow).order_by(StaffRow.address)))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the staff as operators see them; ``sessions`` are those that have not ended."""

    address: str
    role: str
    added_at: datetime
    signed_in_at: datetime | None
    sessions: int


def list_people(session: Session, now: datetime) -> list[Person]:
    """Everybody on the staff by address, with when they signed in last and in how many places they are."""
    theirs = (EventRow.noun == "staff", EventRow.noun_id == cast(StaffRow.id, String), EventRow.action == SIGNED_IN)
    signed_in = select(func.max(EventRow.at)).where(*theirs).correlate(StaffRow).scalar_subquery()
    alive = (StaffSessionRow.staff_id == StaffRow.id, col(StaffSessionRow.expires_at) > now)
    sessions = select(func.count()).select_from(StaffSessionRow).where(*alive).correlate(StaffRow).scalar_subquery()
    columns: Any = (StaffRow.address, StaffRow.role, StaffRow.added_at, signed_in, sessions)
    return [Person(*row) for row in session.exec(select(*columns).order_by(StaffRow.address))]


def count_staff(session: Session) -> int:
    """How many people are on the staff."""
    return session.exec(select(func.count()).select_from(StaffRow)).one()


def lock_operators(session: Session) -> list[str]:
    """The addresses of all operators, who stay so until the transaction ends: two of them might else end each other."""
    operators = select(StaffRow.address).where(StaffRow.role == Role.OPERATOR.word)
    return list(session.exec(operators.order_by(col(StaffRow.id)).with_for_update()))


def find_staff(session: Session, address: str) -> StaffRow | None:
    """The person with this address (normalised), or None."""
    return session.exec(select(StaffRow).where(StaffRow.address == address)).first()


def load_staff(session: Session, address: str) -> StaffRow:
    """The person with this address.

    Raises:
        NotFound: Nobody on the staff has it.
    """
    if found := find_staff(session, address):
        return found
    raise NotFound(
        _("address %(address)s: nobody on the staff has it; `monitor staff list` lists them", address=repr(address))
    )


# ---- requests to sign in -------------------------------------------------------------------------------------------


def load_sign_in(session: Session, sign_in_id: int, *, lock: bool = False) -> SignInRow | None:
    """A request to sign in, or None once it is forgotten; ``lock`` holds it for the rest of the transaction."""
    query = select(SignInRow).where(SignInRow.id == sign_in_id)
    return session.exec(query.with_for_update() if lock else query).first()


# ---- sessions and keys ---------------------------------------------------------------------------------------------


def holder_of_session(session: Session, token: str, now: datetime) -> Holder | None:
    """Who holds the session with this token, or None where it has ended or never was."""
    columns: Any = (StaffSessionRow.id, *_PERSON, StaffSessionRow.seen_at)
    query = select(*columns).join(StaffRow, col(StaffRow.id) == col(StaffSessionRow.staff_id))
    alive = query.where(StaffSessionRow.token_hash == hashed(token), col(StaffSessionRow.expires_at) > now)
    found = session.exec(alive).first()
    return Holder(found[0], found[1], found[2], role_of(found[3]), found[4]) if found else None


def holder_of_token(session: Session, token: str) -> Holder | None:
    """Who holds the key with this secret, or None; its role is the lesser of the key's and the person's."""
    columns: Any = (ApiTokenRow.id, *_PERSON, ApiTokenRow.used_at, ApiTokenRow.role)
    query = select(*columns).join(StaffRow, col(StaffRow.id) == col(ApiTokenRow.staff_id))
    found = session.exec(query.where(ApiTokenRow.token_hash == hashed(token))).first()
    if not found:
        return None
    return Holder(found[0], found[1], found[2], min(role_of(found[3]), role_of(found[5])), found[4])


def mark_seen(session: Session, holder: Holder, now: datetime, *, table: type[StaffSessionRow | ApiTokenRow]) -> None:
    """Note that a session or key was used."""
    moment = {"seen_at": now} if table is StaffSessionRow else {"used_at": now}
    session.connection().execute(update(table).where(col(table.id) == holder.row_id).values(moment))


def list_sessions(session: Session, staff_id: int, now: datetime) -> list[StaffSessionRow]:
    """Somebody's sessions that have not ended, the newest first."""
    query = select(StaffSessionRow).where(StaffSessionRow.staff_id == staff_id, col(StaffSessionRow.expires_at) > now)
    return list(session.exec(query.order_by(col(StaffSessionRow.id).desc())))


def list_tokens(session: Session, staff_id: int) -> list[ApiTokenRow]:
    """Somebody's keys, the newest first."""
    query = select(ApiTokenRow).where(ApiTokenRow.staff_id == staff_id)
    return list(session.exec(query.order_by(col(ApiTokenRow.id).desc())))


def end_sessions(session: Session, staff_id: int, *, only: int | None = None) -> int:
    """End somebody's sessions, all or one; the number ended."""
    ended = delete(StaffSessionRow).where(col(StaffSessionRow.staff_id) == staff_id)
    if only is not None:
        ended = ended.where(col(StaffSessionRow.id) == only)
    return session.connection().execute(ended).rowcount


def delete_token(session: Session, staff_id: int, token_id: int) -> bool:
    """Make one of somebody's keys useless; whether it was there."""
    gone = delete(ApiTokenRow).where(col(ApiTokenRow.staff_id) == staff_id, col(ApiTokenRow.id) == token_id)
    return session.connection().execute(gone).rowcount > 0


def prune_staff(session: Session, now: datetime, *, keep: timedelta) -> None:
    """Forget the requests to sign in that are over, and the sessions that have ended."""
    over = or_(col(SignInRow.expires_at) < now - keep, col(SignInRow.used_at) < now - keep)
    session.connection().execute(delete(SignInRow).where(over))
    session.connection().execute(delete(StaffSessionRow).where(col(StaffSessionRow.expires_at) < now))
