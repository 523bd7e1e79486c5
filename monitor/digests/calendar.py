"""When a digest is due: pure arithmetic on local wall clocks.

A *boundary* is an instant at which a subscriber's digest may end: for a weekly digest, Mondays at 8 o'clock where
the subscriber lives, say. A *window* runs from the end of the last digest to a boundary. As each window starts
where the last one ended, no news falls between two digests or into both, whatever happens to the clock, the zone
or the service in between.

One definition covers every oddity of the tz database: a boundary is **the first instant at which the local clock
reads the wanted date and hour, or later**. In a spring gap that is the end of the gap; in an autumn overlap the
first of the two; on Samoa's missing Friday (30 December 2011) it is the first moment of Saturday.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from monitor.core.schedule import Frequency, Schedule

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = 1024
"""Answers that are kept: most readers of an hour share their schedule and the end of their last window."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that one digest covers: from ``start`` up to, not including, ``end``; both aware UTC."""

    start: datetime
    end: datetime


def next_boundary(after: datetime, schedule: Schedule) -> datetime:
    """The first boundary strictly after an instant.

    Args:
        after: An aware instant.
        schedule: The subscriber's schedule.

    Returns:
        An aware UTC instant.
    """
    if schedule.frequency is Frequency.IMMEDIATE:
        return _floor(after, schedule.period) + schedule.period
    days = _days(after, schedule, from_week=-1, step=1)
    return next(instant for instant in (_instant(day, schedule) for day in days) if instant > after)


def latest_boundary(now: datetime, schedule: Schedule) -> datetime:
    """The last boundary at or before an instant, as an aware UTC instant."""
    if schedule.frequency is Frequency.IMMEDIATE:
        return _floor(now, schedule.period)
    days = _days(now, schedule, from_week=1, step=-1)
    return next(instant for instant in (_instant(day, schedule) for day in days) if instant <= now)


@lru_cache(maxsize=_KEPT)
def next_due(digested_until: datetime, schedule: Schedule) -> datetime:
    """The boundary at which the digest after the one that ended at ``digested_until`` is due.

    A boundary that comes sooner than half a period after the last digest is passed over. Without this, a
    subscriber who moves from Auckland to Vancouver on a Monday would get that Monday's digest twice.

    Args:
        digested_until: The end of the last window. For a new subscriber, ``latest_boundary`` of the moment of
            confirmation: the first digest then holds the whole of its week.
        schedule: The subscriber's schedule, as it is now.

    Returns:
        An aware UTC instant, for ``next_digest_at``.
    """
    earliest = digested_until + schedule.period / 2
    return next_boundary(earliest - timedelta.resolution, schedule)


@lru_cache(maxsize=_KEPT)
def due_window(digested_until: datetime, now: datetime, schedule: Schedule) -> Window | None:
    """The window of the digest that is due, or None if none is.

    After any length of downtime there is one window, which ends at the latest boundary. A clock that is stepped
    back finds nothing due until it has passed what was already sent.

    Args:
        digested_until: As for ``next_due``.
        now: The present, aware.
        schedule: The subscriber's schedule, as it is now.
    """
    end = latest_boundary(now, schedule)
    if end < digested_until + schedule.period / 2:
        return None
    return Window(digested_until.astimezone(UTC), end)


def _days(around: datetime, schedule: Schedule, *, from_week: int, step: int) -> Iterator[date]:
    """The local days on which a digest is wanted, starting a week off so that no jump of a zone hides one."""
    day = around.astimezone(ZoneInfo(schedule.zone)).date() + from_week * 7 * _DAY
    if schedule.frequency is Frequency.WEEKLY:
        day += timedelta(days=schedule.weekday - day.weekday())
    stride = step * schedule.period
    while True:
        yield day
        day += stride


def _instant(day: date, schedule: Schedule) -> datetime:
    """The first instant at which the local clock reads this day and hour, or later."""
    zone = ZoneInfo(schedule.zone)
    wanted = datetime.combine(day, time(schedule.hour))
    instant = wanted.replace(tzinfo=zone).astimezone(UTC)
    if _wall(instant, zone) == wanted:
        return instant
    # In a gap, fold=1 counts with the offset after it and lands before the jump: the jump lies between the two.
    before = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _first_at_or_past(wanted, before, instant, zone)


def _first_at_or_past(wanted: datetime, before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Halve the stretch around a gap, to the second (the resolution of the tz database)."""
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if _wall(middle, zone) < wanted:
            before = middle
        else:
            after = middle
    return after


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _floor(instant: datetime, period: timedelta) -> datetime:
    return _EPOCH + (instant - _EPOCH) // period * period
