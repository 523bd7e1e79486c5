"""What a person asks for when they subscribe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitor.core.languages import Language
from monitor.core.schedule import Frequency, Schedule


@dataclass(frozen=True, slots=True)
class Choice:
    """Topics (and pillars, for all their topics; none for everything), a language and a schedule."""

    topics: tuple[str, ...]
    language: Language
    schedule: Schedule

    def as_json(self) -> dict[str, Any]:
        """The choice as it is kept while it waits for its confirmation."""
        schedule = self.schedule
        return {
            "topics": list(self.topics),
            "language": self.language.value,
            "frequency": schedule.frequency.value,
            "weekday": schedule.weekday,
            "hour": schedule.hour,
            "zone": schedule.zone,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Choice:
        """The choice that was kept."""
        schedule = Schedule(Frequency(kept["frequency"]), kept["weekday"], kept["hour"], kept["zone"])
        return cls(tuple(kept["topics"]), Language(kept["language"]), schedule)
