"""Facts about the installation itself, by name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col

from monitor.store.events import record_event
from monitor.store.tables import KeptRow
from monitor.store.upsert import insert_new
from monitor.texts import marked as _

_PAUSED = "sending paused since"


def sending_paused(session: Session) -> str:
    """Since when all sending is paused, as text (UTC), or empty where it is not."""
    row = session.get(KeptRow, _PAUSED)
    return row.value if row else ""


def pause_sending(session: Session, *, actor: str, now: datetime) -> bool:
    """Let no mail go out until ``resume_sending``; False where that was so already. What is due meanwhile waits."""
    if not insert_new(session, KeptRow, [{"name": _PAUSED, "value": f"{now:%Y-%m-%d %H:%M}Z"}]):
        return False
    record_event(session, now, actor=actor, action=_("paused"), noun="sending", noun_id="")
    return True


def resume_sending(session: Session, *, actor: str, now: datetime) -> bool:
    """Let mails go out again; False where they did already."""
    if not session.connection().execute(delete(KeptRow).where(col(KeptRow.name) == _PAUSED)).rowcount:
        return False
    record_event(session, now, actor=actor, action=_("resumed"), noun="sending", noun_id="")
    return True
