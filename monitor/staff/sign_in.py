"""Signing in without a password: a link by mail leads to a button, and the button opens a session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlmodel import Session

from monitor.core.address import normalised_address
from monitor.core.languages import Language
from monitor.core.roles import Role
from monitor.errors import NotFound
from monitor.staff.people import add_staff
from monitor.store.events import record_event
from monitor.store.letters import post_letter
from monitor.store.limits import HOUR
from monitor.store.staff import SIGNED_IN, count_staff, end_sessions, find_staff, hashed, load_sign_in
from monitor.store.tables import SignInRow, StaffRow, StaffSessionRow
from monitor.store.tallies import count_up
from monitor.texts import marked as _
from monitor.tokens import INVALID, Purpose, read_token, sign

LETTER = "sign-in"
LINK_LIFE = timedelta(minutes=30)
PRINTED_LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(days=30)
KEEP_SIGN_INS = timedelta(days=1)
"""How long a request is kept after it ended: a link that is used again still gets a helpful answer."""

_LETTERS_AN_HOUR = 5
_LONGEST_DEVICE = 200


class SignInState(Enum):
    """Where a request to sign in stands."""

    WAITING = auto()
    FIRST_OPERATOR = auto()
    USED = auto()
    EXPIRED = auto()
    NOBODY = auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that has just been opened: its secret, shown to nobody but the browser, and the page to go to."""

    token: str
    next: str


def request_sign_in(
    session: Session, address: str, *, language: Language, next_page: str, domain: str, now: datetime
) -> None:
    """Have a link to sign in mailed; whether the address is on the staff is asked when the letter is composed.

    So the form does the same work and gives the same answer for every address. One address gets five letters an hour.

    Args:
        session: An open writing transaction.
        address: As the person wrote it.
        language: The language of the letter.
        next_page: The path to go to after.
        domain: The domain of the installation.
        now: The present, aware UTC.

    Raises:
        Refused: The address is not valid.
    """
    address = normalised_address(address)
    if count_up(session, f"{LETTER}/{hashed(address)[:32]}", now, period=HOUR) > _LETTERS_AN_HOUR:
        return
    sign_in_id = _keep(session, address, now=now, life=LINK_LIFE, next_page=next_page)
    payload, about = {"sign_in": sign_in_id}, str(sign_in_id)
    post_letter(session, LETTER, address, language=language, payload=payload, domain=domain, now=now, about=about)


def invite(
    session: Session, address: str, role: Role, *, actor: str, language: Language, domain: str, now: datetime
) -> None:
    """Add a person to the staff, or give them another role, and mail them a link to sign in.

    Raises:
        Refused: The address is none.
        Conflict: The only operator would be none any more.
    """
    person = add_staff(session, address, role, actor=actor, now=now)
    request_sign_in(session, person.address, language=language, next_page="/", domain=domain, now=now)


def first_operator_link(session: Session, key: str, base_url: str, *, operator: str, now: datetime) -> str | None:
    """A link that makes whoever follows it first the operator; None where there is staff already.

    Args:
        session: An open writing transaction.
        key: The key of the installation.
        base_url: The public address without a trailing slash.
        operator: The operator's address, or empty to have it asked for.
        now: The present, aware UTC.
    """
    if count_staff(session):
        return None
    sign_in_id = _keep(session, operator, now=now, life=PRINTED_LINK_LIFE, role=Role.OPERATOR.word)
    return sign_in_url(base_url, key, sign_in_id)


def printed_link(session: Session, person: StaffRow, key: str, base_url: str, *, now: datetime) -> str:
    """A link with which somebody on the staff signs in, for handing over by other ways than mail; good for a day."""
    sign_in_id = _keep(session, person.address, now=now, life=PRINTED_LINK_LIFE)
    return sign_in_url(base_url, key, sign_in_id)


def sign_in_url(base_url: str, key: str, sign_in_id: int) -> str:
    """The address behind a link to sign in."""
    return f"{base_url}/sign-in/{sign(key, Purpose.SIGN_IN, sign_in_id)}"


def sign_in_of(session: Session, key: str, token: str, *, lock: bool = False) -> SignInRow:
    """The request that a link stands for.

    Raises:
        NotFound: The link is not valid, or so old that the request is forgotten.
    """
    row = load_sign_in(session, read_token(key, Purpose.SIGN_IN, token).row_id, lock=lock)
    if row is None:
        raise NotFound(INVALID)
    return row


def sign_in_state(session: Session, row: SignInRow, now: datetime) -> SignInState:
    """Where a request stands now."""
    if row.used_at:
        return SignInState.USED
    if now >= row.expires_at:
        return SignInState.EXPIRED
    if row.role:
        return SignInState.NOBODY if count_staff(session) else SignInState.FIRST_OPERATOR
    return SignInState.WAITING if find_staff(session, row.address) else SignInState.NOBODY


def sign_in(session: Session, row: SignInRow, *, address: str, device: str, now: datetime) -> Opened | SignInState:
    """Open a session with a link that waits, once; or tell why it cannot be opened.

    Args:
        session: An open writing transaction that holds the row's lock.
        row: The request.
        address: Whose the first operator's link is to be, where it does not say so itself.
        device: What the browser calls itself.
        now: The present, aware UTC.

    Raises:
        Refused: The first operator's address is not valid.
    """
    state = sign_in_state(session, row, now)
    if state is SignInState.FIRST_OPERATOR:
        add_staff(session, row.address or address, Role.OPERATOR, actor="first start", now=now)
        row.address = normalised_address(row.address or address)
    elif state is not SignInState.WAITING:
        return state
    row.used_at = now
    session.add(row)
    person = find_staff(session, row.address)
    assert person is not None, "the state says that there is one"  # noqa: S101 - for the type checker
    return Opened(_open(session, person, device, now), row.next)


def sign_out(session: Session, staff_id: int, session_id: int | None, *, actor: str, now: datetime) -> int:
    """End one of somebody's sessions, or all of them; how many ended."""
    ended = end_sessions(session, staff_id, only=session_id)
    if ended:
        detail = {"sessions": ended}
        record_event(
            session, now, actor=actor, action=_("signed out"), noun="staff", noun_id=str(staff_id), detail=detail
        )
    return ended


def _open(session: Session, person: StaffRow, device: str, now: datetime) -> str:
    """A new session with a secret of its own: one that somebody planted in the browser before is worth nothing."""
    token = secrets.token_urlsafe(32)
    row = StaffSessionRow(
        staff_id=person.id or 0,
        token_hash=hashed(token),
        device=device[:_LONGEST_DEVICE],
        created_at=now,
        seen_at=now,
        expires_at=now + SESSION_LIFE,
    )
    session.add(row)
    record_event(session, now, actor=person.address, action=SIGNED_IN, noun="staff", noun_id=str(person.id))
    return token


def _keep(
    session: Session, address: str, *, now: datetime, life: timedelta, role: str = "", next_page: str = "/"
) -> int:
    row = SignInRow(address=address, role=role, next=next_page, requested_at=now, expires_at=now + life)
    session.add(row)
    session.flush()
    return row.id or 0
