"""The audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.store.tables import EventRow


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A line of the audit trail; ``at`` is aware UTC."""

    at: datetime
    actor: str
    action: str
    detail: Mapping[str, Any]


def record_event(
    session: Session,
    now: datetime,
    *,
    actor: str,
    action: str,
    noun: str,
    noun_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what to which row, in the transaction that does it."""
    session.add(EventRow(at=now, actor=actor, action=action, noun=noun, noun_id=noun_id, detail=dict(detail or {})))


def list_events(session: Session, noun: str, noun_id: str, *, limit: int = 50) -> list[StoredEvent]:
    """What happened to one thing, the latest first."""
    query = select(EventRow).where(EventRow.noun == noun, EventRow.noun_id == noun_id)
    rows = session.exec(query.order_by(col(EventRow.id).desc()).limit(limit))
    return [StoredEvent(row.at, row.actor, row.action, row.detail) for row in rows]
