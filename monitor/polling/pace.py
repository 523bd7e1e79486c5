"""When to visit a source next: a pure function of its history, of what it asks for, and of the time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from monitor.polling.ttl import Asked

_LENGTHEN_ABOVE, _SHORTEN_BELOW = 0.67, 0.33  # overlaps; the thresholds with which Media Cloud's rss-fetcher settles
_LENGTHEN, _SHORTEN = 1.2, 0.5
"""Quickly shorter, slowly longer: bursts come in rows. With 1.5, a simulated year misses a fifth more."""
_SAFETY = 3  # visits in the time that a feed's length holds, so that a busy day pushes nothing out unseen
_JITTER = 0.1
_DAY = timedelta(days=1)
_LIVE_FAILURES = 8
"""Up to so many failures in a row a source counts as live and is never left for longer than its bounds."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and the longest time between two visits of a live source."""

    shortest: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that has just ended, with what came before it.

    ``interval`` is the pace until now, without jitter. ``entries`` is the number of entries seen, ``new`` how many
    of them were unknown, and ``since_last`` the time since the last visit that saw entries; that is None for the
    first. With an unchanged answer (304, or the same body), ``entries`` is 0 and ``unchanged`` is set.
    ``failures`` counts those in a row, this one included; 0 after a success.
    """

    slug: str
    interval: timedelta
    entries: int = 0
    new: int = 0
    since_last: timedelta | None = None
    unchanged: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Hints:
    """What the source asks for: by its headers, by its feed, and (``retry_after``) when it is in trouble."""

    fresh_for: timedelta | None = None
    retry_after: timedelta | None = None
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True, slots=True)
class Plan:
    """The next visit, in aware UTC; the pace to remember; and whether entries came and went unseen.

    ``missed`` is the overlap alarm: a visit shared no entry with what was known, so something between was missed.
    """

    at: datetime
    interval: timedelta
    missed: bool = False


def next_visit(visit: Visit, *, now: datetime, bounds: Bounds | None = None, hints: Hints | None = None) -> Plan:
    """Plan the next visit; the same arguments give the same plan.

    The interval grows by a fifth when more than 67 % of the entries were known and halves under 33 %. It is never
    longer than a third of the time in which, at the rate just seen, the feed's whole length would be replaced.
    What the source asks for (freshness, ``ttl``, hours and days to skip) makes it longer, within the bounds only:
    one department asks for three days and publishes daily.

    A failure leaves the pace as it is and backs off: the shortest bound, doubled with each failure, up to the
    longest bound while the source counts as live and to a day after that. ``Retry-After`` is always obeyed; the
    caller has capped it at a day.

    The moment is shifted by up to a tenth, by a hash of the slug and the time, so that sources added together do
    not stay together.

    Args:
        visit: The visit that has just ended.
        now: Its time, aware.
        bounds: Those of the source.
        hints: What the source asks for.
    """
    bounds, hints = bounds or Bounds(), hints or Hints()
    pace = _clip(_pace(visit), bounds)
    if visit.failures:
        return Plan(_at(_backed_off(visit, bounds), visit, now, bounds, hints), pace)
    wait = _clip(max(pace, hints.fresh_for or pace, hints.asked.ttl or pace), bounds)
    at = _after_skips(_at(wait, visit, now, bounds, hints), hints.asked, latest=now + bounds.longest)
    missed = visit.since_last is not None and 0 < visit.entries == visit.new
    return Plan(at.astimezone(UTC), pace, missed)


def _pace(visit: Visit) -> timedelta:
    if visit.unchanged:
        return visit.interval * _LENGTHEN
    if visit.failures or not visit.entries or visit.since_last is None:
        return visit.interval
    overlap = 1 - visit.new / visit.entries
    factor = _LENGTHEN if overlap > _LENGTHEN_ABOVE else _SHORTEN if overlap < _SHORTEN_BELOW else 1
    pace = visit.interval * factor
    if visit.new:
        pace = min(pace, visit.since_last * visit.entries / visit.new / _SAFETY)
    return pace


def _backed_off(visit: Visit, bounds: Bounds) -> timedelta:
    doubled = bounds.shortest * (1 << min(visit.failures - 1, 16))
    return min(doubled, bounds.longest if visit.failures <= _LIVE_FAILURES else max(_DAY, bounds.longest))


def _at(wait: timedelta, visit: Visit, now: datetime, bounds: Bounds, hints: Hints) -> datetime:
    jittered = wait * (1 + _JITTER * _spread(f"{visit.slug} {now.isoformat()}"))
    if visit.failures <= _LIVE_FAILURES:
        jittered = _clip(jittered, bounds)
    return now.astimezone(UTC) + max(jittered, hints.retry_after or jittered)


def _after_skips(at: datetime, asked: Asked, *, latest: datetime) -> datetime:
    """The first moment from ``at`` on that the feed does not ask to skip, or ``latest`` where none comes before."""
    while at < latest and (at.hour in asked.skip_hours or at.weekday() in asked.skip_days):
        at = min(at + timedelta(hours=1), latest)
    return at


def _clip(span: timedelta, bounds: Bounds) -> timedelta:
    return max(bounds.shortest, min(span, bounds.longest))


def _spread(seed: str) -> float:
    """A number from -1 to 1 that depends on nothing but ``seed``."""
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=4).digest()) / 0xFFFF_FFFF * 2 - 1
