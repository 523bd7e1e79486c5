"""Tallies: how often something was asked for in a stretch of time. They live in rows, so all processes share them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col

from monitor.store.tables import TallyRow
from monitor.store.upsert import insert_new

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count_up(session: Session, name: str, now: datetime, *, period: timedelta) -> int:
    """Count one more in the current period (periods are counted from 1970, UTC); the count with this one."""
    key = {"name": name, "starts_at": now - (now - _EPOCH) % period}
    insert_new(session, TallyRow, [{**key, "count": 0}])
    counted = update(TallyRow).filter_by(**key).values(count=TallyRow.count + 1).returning(col(TallyRow.count))
    return int(session.connection().execute(counted).scalar_one())


def prune_tallies(session: Session, before: datetime) -> int:
    """Forget the tallies of periods that began before a time; the number forgotten."""
    return session.connection().execute(delete(TallyRow).where(col(TallyRow.starts_at) < before)).rowcount
