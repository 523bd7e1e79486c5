"""When a subscriber wants digests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Frequency(StrEnum):
    """How often a subscriber wants a digest."""

    WEEKLY = "weekly"
    DAILY = "daily"
    IMMEDIATE = "immediate"


_DAY = timedelta(days=1)
_PERIOD = {
    Frequency.WEEKLY: 7 * _DAY,
    Frequency.DAILY: _DAY,
    # "Immediate" gathers what arrives together: ten agencies publish one joint statement within minutes.
    Frequency.IMMEDIATE: timedelta(minutes=15),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a subscriber wants digests.

    Attributes:
        frequency: Weekly, daily, or immediate (each quarter of an hour, when there is news).
        weekday: 0 for Monday to 6 for Sunday; used by weekly digests only.
        hour: The local hour, 0 to 23; not used by immediate digests.
        zone: An IANA zone, such as ``America/Toronto``.

    Raises:
        ValueError: If weekday or hour is out of range, or the zone is not known.
    """

    frequency: Frequency = Frequency.WEEKLY
    weekday: int = 0
    hour: int = 8
    zone: str = "America/Toronto"

    def __post_init__(self) -> None:
        if not 0 <= self.weekday <= 6:
            raise ValueError(f"weekday is {self.weekday}, must be 0 (Monday) to 6 (Sunday)")
        if not 0 <= self.hour <= 23:
            raise ValueError(f"hour is {self.hour}, must be 0 to 23")
        try:
            ZoneInfo(self.zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"{self.zone!r} is not an IANA time zone") from error

    @property
    def period(self) -> timedelta:
        """The usual time between two digests."""
        return _PERIOD[self.frequency]
