"""The audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from monitor.store.tables import EventRow


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
