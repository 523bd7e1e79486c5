"""The pace of retries: minutes at first, three days at most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.retry import GIVE_UP_AFTER, next_attempt

FIRST = datetime(2026, 11, 23, 13, tzinfo=UTC)


def test_the_attempts_of_a_server_that_never_answers() -> None:
    now = FIRST
    waits: list[timedelta] = []
    while (following := next_attempt(len(waits) + 1, FIRST, now)) is not None:
        waits.append(following - now)
        now = following
    assert waits[:7] == [timedelta(minutes=minutes) for minutes in (2, 5, 15, 30, 60, 120, 240)]
    assert waits[0] + waits[1] <= timedelta(minutes=10), "greylisting lets a mail pass within minutes"
    assert now == FIRST + GIVE_UP_AFTER
    assert 20 <= len(waits) <= 30


@given(st.integers(1, 1000), st.timedeltas(timedelta(0), timedelta(days=10)))
def test_the_next_attempt_lies_ahead_and_within_the_three_days(attempts: int, age: timedelta) -> None:
    following = next_attempt(attempts, FIRST, FIRST + age)
    if age >= GIVE_UP_AFTER:
        assert following is None
    else:
        assert following is not None
        assert FIRST + age < following <= min(FIRST + GIVE_UP_AFTER, FIRST + age + timedelta(hours=4))
