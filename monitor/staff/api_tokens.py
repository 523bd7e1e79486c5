"""The keys with which programs use the API."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlmodel import Session

from monitor.core.roles import Role
from monitor.errors import Conflict, NotFound, Refused
from monitor.store.events import record_event
from monitor.store.staff import Holder, delete_token, hashed, list_tokens
from monitor.store.tables import ApiTokenRow
from monitor.texts import marked as _

PREFIX = "rmk_"
"""Keys begin with it, so that a scanner for secrets knows one when it finds it."""

_MOST = 20
_LONGEST_NAME = 80


def create_token(session: Session, holder: Holder, name: str, role: Role, *, now: datetime) -> str:
    """Make a key for somebody's programs; it is shown this once.

    Raises:
        Refused: The name is empty or too long, or the role is more than the person's own.
        Conflict: They have too many keys.
    """
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise Refused(_("Give the key a name of at most 80 characters."))
    if not Role.PUBLIC < role <= holder.role:
        raise Refused(_("A key can have no more than your own role."))
    if len(list_tokens(session, holder.staff_id)) >= _MOST:
        raise Conflict(_("You have 20 keys. Delete one first."))
    token = PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiTokenRow(staff_id=holder.staff_id, name=name, role=role.word, token_hash=hashed(token), created_at=now)
    )
    _record(session, holder, _("made a key"), {"name": name, "role": role.word}, now)
    return token


def revoke_token(session: Session, holder: Holder, token_id: int, *, now: datetime) -> None:
    """Make one of somebody's keys useless.

    Raises:
        NotFound: They have no such key.
    """
    if not delete_token(session, holder.staff_id, token_id):
        raise NotFound(_("There is no such key."))
    _record(session, holder, _("deleted a key"), {"key": token_id}, now)


def _record(session: Session, holder: Holder, action: str, detail: dict[str, object], now: datetime) -> None:
    record_event(
        session, now, actor=holder.address, action=action, noun="staff", noun_id=str(holder.staff_id), detail=detail
    )
