"""Slots: a tick of the schedule fires once, however many schedulers run."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from monitor.store.tables import SlotRow
from monitor.store.upsert import insert_new


def take_slot(session: Session, job: str, scheduled_at: datetime, now: datetime) -> bool:
    """Whether this tick is ours: true for the first caller with this job and scheduled time, false afterwards."""
    row = {"job": job, "scheduled_at": scheduled_at, "fired_at": now}
    return insert_new(session, SlotRow, [row]) == 1


def prune_slots(session: Session, before: datetime) -> int:
    """Forget slots scheduled before a time; the number forgotten."""
    return session.connection().execute(delete(SlotRow).where(col(SlotRow.scheduled_at) < before)).rowcount


def last_slots(session: Session) -> dict[str, datetime]:
    """For which time each job fired last, aware UTC; a job that never did is missing."""
    return dict(session.exec(select(SlotRow.job, func.max(SlotRow.scheduled_at)).group_by(SlotRow.job)).all())


def newest_moment(session: Session) -> datetime | None:
    """When the latest tick fired, aware UTC: the clock should never show less."""
    return session.exec(select(func.max(SlotRow.fired_at))).one()
