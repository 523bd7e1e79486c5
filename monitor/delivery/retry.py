"""When a deferred mail is tried again (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta

# RFC 5321, 4.5.4.1: wait 30 minutes at least once the first tries have failed, and give up after 4 to 5 days; a
# digest is stale before that. The first tries come sooner, as greylisting lets a mail pass after 1 to 15 minutes.
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 30, 60, 120, 240))
GIVE_UP_AFTER = timedelta(days=3)


def next_attempt(attempts: int, first_at: datetime, now: datetime) -> datetime | None:
    """The time of the next attempt, or None when it is time to give up.

    Args:
        attempts: How many attempts were made, the one that has just failed included; 1 or more.
        first_at: When the mail was first to be sent, aware.
        now: The present, aware.

    Returns:
        A time after ``now``, at most four hours away; the last one falls on the end of the three days.
    """
    last = first_at + GIVE_UP_AFTER
    if now >= last:
        return None
    wait = _WAITS[min(max(attempts, 1), len(_WAITS)) - 1]
    return min(now + wait, last)
