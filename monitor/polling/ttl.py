"""How often a feed asks to be visited: ``ttl``, ``sy:updatePeriod`` with its frequency, ``skipHours``, ``skipDays``.

These stand in the head of a feed and are read there by pattern; feedparser keeps only the last hour of a list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_TTL = re.compile(r"<ttl>\s*(\d{1,6})\s*</ttl>", re.IGNORECASE)
_PERIOD = re.compile(r"<\w+:updatePeriod\b[^<>]*>\s*(\w+)\s*</", re.IGNORECASE)
_FREQUENCY = re.compile(r"<\w+:updateFrequency\b[^<>]*>\s*(\d{1,5})\s*</", re.IGNORECASE)
_LIST = r"<{0}>((?:\s*<{1}>[^<]*</{1}>)*)\s*</{0}>"
_SKIP_HOURS = re.compile(_LIST.format("skipHours", "hour"), re.IGNORECASE)
_SKIP_DAYS = re.compile(_LIST.format("skipDays", "day"), re.IGNORECASE)
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a feed asks for. Hours are those of UTC, 0 to 23; days are 0 for Monday to 6 for Sunday."""

    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


def asked(head: str) -> Asked:
    """What the head of a feed asks for.

    Without a ``ttl``, the period of the syndication module divided by its frequency counts as one. ``skipHours``
    writes midnight as 0 or as 24 (RSS 0.92 and 2.0 differ).
    """
    hours = {int(hour) % 24 for hour in re.findall(r">\s*(\d{1,2})\s*<", _inside(_SKIP_HOURS, head)) if int(hour) <= 24}
    days = {_DAYS.index(day) for day in re.findall(r"\w+", _inside(_SKIP_DAYS, head).lower()) if day in _DAYS}
    return Asked(_ttl(head) or _syndicated(head), frozenset(hours), frozenset(days))


def _inside(pattern: re.Pattern[str], head: str) -> str:
    found = pattern.search(head)
    return found[1] if found else ""


def _ttl(head: str) -> timedelta | None:
    found = _TTL.search(head)
    return timedelta(minutes=int(found[1])) if found and int(found[1]) else None


def _syndicated(head: str) -> timedelta | None:
    period, frequency = _PERIOD.search(head), _FREQUENCY.search(head)
    length = _PERIODS.get(period[1].lower()) if period else None
    return length / max(1, int(frequency[1]) if frequency else 1) if length else None
