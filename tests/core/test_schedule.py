"""A schedule holds a weekday, an hour and a zone that there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.core.schedule import Frequency, Schedule


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"weekday": 7}, r"^weekday is 7, must be 0 \(Monday\) to 6 \(Sunday\)$"),
        ({"weekday": -1}, "^weekday is -1"),
        ({"hour": 24}, "^hour is 24, must be 0 to 23$"),
        ({"hour": -1}, "^hour is -1"),
        ({"zone": "Mars/Olympus"}, "^'Mars/Olympus' is not an IANA time zone$"),
        ({"zone": "../../etc/passwd"}, "not an IANA time zone"),
        ({"zone": ""}, "not an IANA time zone"),
    ],
)
def test_what_does_not_exist_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Schedule(**wrong)


@pytest.mark.parametrize("right", [{"weekday": 0}, {"weekday": 6}, {"hour": 0}, {"hour": 23}, {"zone": "UTC"}])
def test_the_first_and_the_last_are_taken(right: dict[str, Any]) -> None:
    assert Schedule(**right)


def test_how_long_a_period_is() -> None:
    periods = {frequency: Schedule(frequency).period for frequency in Frequency}
    assert periods == {
        Frequency.WEEKLY: timedelta(days=7),
        Frequency.DAILY: timedelta(days=1),
        Frequency.IMMEDIATE: timedelta(minutes=15),
    }
