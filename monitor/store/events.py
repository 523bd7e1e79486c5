"""The audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.store.tables import EventRow


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A line of the audit trail: who did what to which thing; ``at`` is aware UTC."""

    id: int
    at: datetime
    actor: str
    action: str
    noun: str
    noun_id: str
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


def audit_trail(
    session: Session,
    *,
    noun: str = "",
    noun_id: str = "",
    actor: str = "",
    before_id: int | None = None,
    limit: int = 50,
) -> list[StoredEvent]:
    """What happened, the latest first; an empty filter does not matter.

    Args:
        session: An open transaction.
        noun: The kind of thing, such as ``watch``.
        noun_id: Which one, as in ``norad/en``.
        actor: Who did it.
        before_id: Only what happened before this event: the cursor of the next page.
        limit: How many at most.
    """
    query = select(EventRow).filter_by(**{name: value for name, value in _asked(noun, noun_id, actor) if value})
    if before_id is not None:
        query = query.where(col(EventRow.id) < before_id)
    rows = session.exec(query.order_by(col(EventRow.id).desc()).limit(limit))
    return [StoredEvent(row.id or 0, row.at, row.actor, row.action, row.noun, row.noun_id, row.detail) for row in rows]


def _asked(noun: str, noun_id: str, actor: str) -> Iterable[tuple[str, str]]:
    return {"noun": noun, "noun_id": noun_id, "actor": actor}.items()
