"""Hubs that push what a source publishes (WebSub): what they offer, what was asked of them, until when they push."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from monitor.store.tables import HubRow, SourceRow

ASKED_AGAIN = timedelta(days=1)
"""How long a hub has to answer a request before it is asked again."""

REFUSED_FOR = timedelta(days=30)
"""How long a hub that refused is left alone."""

_RENEWED_BEFORE = timedelta(days=1)


def note_offer(session: Session, source_id: int, hub: str, topic: str, now: datetime) -> None:
    """Note that a source's feed names a hub; what was agreed with another hub, or for another topic, is over."""
    row = hub_of(session, source_id)
    if row is not None and (row.hub, row.topic) == (hub, topic):
        return
    row = row or HubRow(source_id=source_id, hub="", topic="", token="", secret="", ask_at=now)
    row.hub, row.topic, row.state = hub, topic, "offered"
    row.token, row.secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    row.ask_at, row.expires_at, row.pushed_at, row.last_error = now, None, None, ""
    session.add(row)


def hub_of(session: Session, source_id: int) -> HubRow | None:
    """The hub that a source's feed names, or None."""
    return session.exec(select(HubRow).where(HubRow.source_id == source_id)).one_or_none()


def due_hub_ids(session: Session, now: datetime, *, limit: int) -> list[int]:
    """The hubs that are to be asked, first or again, for the sources that are visited."""
    due = select(HubRow.id).join(SourceRow).where(SourceRow.state == "active", HubRow.ask_at <= now)
    return [row for row in session.exec(due.order_by(col(HubRow.ask_at)).limit(limit)) if row is not None]


def begin_asking(session: Session, hub_id: int, now: datetime) -> HubRow | None:
    """Note that a hub is being asked now; None where somebody has just asked it."""
    row = session.exec(select(HubRow).where(HubRow.id == hub_id).with_for_update()).one_or_none()
    if row is None or row.ask_at > now:
        return None
    if row.state != "active":
        row.state = "asked"
    row.ask_at = now + ASKED_AGAIN
    session.add(row)
    return row


def note_trouble(session: Session, hub_id: int, error: str) -> None:
    """Note why a hub could not be asked."""
    row = session.get_one(HubRow, hub_id)
    row.last_error = error
    session.add(row)


def find_hub(session: Session, token: str) -> HubRow | None:
    """The hub that calls back under a token."""
    return session.exec(select(HubRow).where(HubRow.token == token)).one_or_none()


def confirm_hub(session: Session, row: HubRow, *, lease: timedelta, now: datetime) -> None:
    """Note that a hub pushes from now on, for so long; it is asked to go on before the end."""
    row.state, row.expires_at, row.last_error = "active", now + lease, ""
    row.ask_at = now + max(lease - _RENEWED_BEFORE, lease / 2)
    session.add(row)


def refuse_hub(session: Session, row: HubRow, reason: str, now: datetime) -> None:
    """Note that a hub does not push; it is asked again after a month."""
    row.state, row.expires_at, row.last_error, row.ask_at = "refused", None, reason, now + REFUSED_FOR
    session.add(row)


def note_push(session: Session, hub_id: int, now: datetime) -> None:
    """Note that a hub has pushed."""
    row = session.get_one(HubRow, hub_id)
    row.pushed_at = now
    session.add(row)
