"""How the sources fare: which cannot be read, which are unusually quiet, and whom to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, distinct, func, update
from sqlmodel import Session, col, select

from monitor.core.rhythm import unusually_quiet
from monitor.store.tables import ItemRow, PollRow, SourceRow
from monitor.store.visits import FAILING_AFTER

_WEEK = timedelta(days=7)
_WEEKS_BEFORE = 8
BROKEN_AFTER = timedelta(days=1)
"""A source that could not be read for so long is worth a mail to the operator."""

_REMINDERS = (timedelta(0), timedelta(days=3), timedelta(days=7), timedelta(days=14))
_LAST_REMINDER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a source published in the last seven days, and a week on average in the eight weeks before."""

    recent: int
    usual: float

    @property
    def quiet(self) -> bool:
        """Whether that is unusually little."""
        return unusually_quiet(self.recent, self.usual)


def rhythms(session: Session, now: datetime) -> dict[int, Rhythm]:
    """The rhythm of each source that published in the last nine weeks, by id."""
    week, start = now - _WEEK, now - (_WEEKS_BEFORE + 1) * _WEEK
    recent = func.sum(case((col(ItemRow.first_seen_at) >= week, 1), else_=0))
    before = func.sum(case((col(ItemRow.first_seen_at) < week, 1), else_=0))
    query = select(ItemRow.source_id, recent, before).where(ItemRow.first_seen_at >= start)
    rows = session.exec(query.group_by(col(ItemRow.source_id)))
    return {source_id: Rhythm(int(late), int(early) / _WEEKS_BEFORE) for source_id, late, early in rows}


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """How many sources were visited in a time, and the agencies that cannot be read or are quiet now."""

    checked: int
    failing: tuple[str, ...]
    quiet: tuple[str, ...]


def coverage_since(session: Session, start: datetime, now: datetime) -> SourceCoverage:
    """How well the time since ``start`` was watched."""
    checked = session.exec(
        select(func.count(distinct(col(PollRow.source_id)))).where(PollRow.started_at >= start)
    ).one()
    by_id = rhythms(session, now)
    active = session.exec(select(SourceRow).where(SourceRow.state == "active")).all()
    failing = {row.agency for row in active if row.failures >= FAILING_AFTER}
    quiet = {row.agency for row in active if row.id in by_id and by_id[row.id].quiet} - failing
    return SourceCoverage(checked, tuple(sorted(failing)), tuple(sorted(quiet)))


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """How the active sources fare: how many there are, were ever read, and could not be read at their last visit.

    ``last_visit`` is the latest of their visits, aware UTC.
    """

    active: int
    reached: int
    failing: int
    last_visit: datetime | None = None

    @property
    def unreachable(self) -> bool:
        """Whether visits were made and none ever succeeded: most likely this machine has no way out."""
        return self.failing > 0 and self.reached == 0


def summarise_sources(session: Session) -> SourceSummary:
    """How the active sources fare."""
    counted = select(
        func.count(),
        func.count(col(SourceRow.last_success_at)),
        func.coalesce(func.sum(case((col(SourceRow.failures) > 0, 1), else_=0)), 0),
        func.max(SourceRow.last_polled_at),
    ).where(SourceRow.state == "active")
    active, reached, failing, last_visit = session.exec(counted).one()
    return SourceSummary(active, reached, int(failing), last_visit)


@dataclass(frozen=True, slots=True)
class BrokenSource:
    """A source that has not been readable for a day or more; ``since`` is its last success, aware UTC, or None."""

    slug: str
    agency: str
    error: str
    since: datetime | None


def take_broken_sources(session: Session, now: datetime) -> list[BrokenSource]:
    """The broken sources that the operator is to be told of now; they are marked as told.

    The first word comes after a day, reminders ever more rarely: after 3, 7 and 14 days, then every 30. A source
    that was read again and breaks anew is told of anew.
    """
    reset = and_(col(SourceRow.failures) == 0, col(SourceRow.told_count) > 0)
    session.connection().execute(update(SourceRow).where(reset).values(told_at=None, told_count=0))
    lost: Any = func.coalesce(SourceRow.last_success_at, SourceRow.added_at)
    broken = session.exec(
        select(SourceRow)
        .where(SourceRow.state == "active", SourceRow.failures >= FAILING_AFTER, lost <= now - BROKEN_AFTER)
        .order_by(col(SourceRow.slug))
    ).all()
    due = [row for row in broken if row.told_at is None or now - row.told_at >= _pause(row.told_count)]
    for row in due:
        row.told_at, row.told_count = now, row.told_count + 1
        session.add(row)
    return [BrokenSource(row.slug, row.agency, row.last_error, row.last_success_at) for row in due]


def _pause(told: int) -> timedelta:
    return _REMINDERS[told] if told < len(_REMINDERS) else _LAST_REMINDER
