"""The calendar: one digest per window, never two, never none, in every zone and over 60 years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.schedule import Frequency, Schedule
from monitor.digests.calendar import (
    Window,
    due_window,
    latest_boundary,
    next_boundary,
    next_due,
)

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
SECOND, TICK = timedelta(seconds=1), timedelta.resolution
FIRST, LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


zones = st.sampled_from(ZONES)
instants = st.datetimes(
    min_value=FIRST.replace(tzinfo=None), max_value=LAST.replace(tzinfo=None), timezones=st.just(UTC)
)
schedules = st.builds(
    Schedule,
    frequency=st.sampled_from(Frequency),
    weekday=st.integers(0, 6),
    hour=st.integers(0, 23),
    zone=zones,
)


@pytest.mark.parametrize(
    ("schedule", "after", "boundary"),
    [
        pytest.param(
            Schedule(zone="America/Toronto"), "2026-11-20T12:00", "2026-11-23T13:00", id="Monday at 8 in Toronto"
        ),
        pytest.param(Schedule(zone="America/Toronto"), "2026-11-23T13:00", "2026-11-30T13:00", id="strictly after"),
        pytest.param(
            Schedule(zone="America/Toronto", weekday=6, hour=2),
            "2026-03-07T00:00",
            "2026-03-08T07:00",
            id="in the spring gap (2 o'clock does not exist): 3 o'clock summer time",
        ),
        pytest.param(
            Schedule(zone="America/Toronto", weekday=6, hour=1),
            "2026-10-31T12:00",
            "2026-11-01T05:00",
            id="in the autumn overlap: the first of the two",
        ),
        pytest.param(
            Schedule(zone="America/Toronto", weekday=6, hour=1),
            "2026-11-01T05:00",
            "2026-11-08T06:00",
            id="in the autumn overlap: not the second as well",
        ),
        pytest.param(
            Schedule(zone="America/St_Johns", frequency=Frequency.DAILY, hour=0),
            "2006-10-28T12:00",
            "2006-10-29T02:30",
            id="St. John's changed its clocks at one minute past midnight",
        ),
        pytest.param(
            Schedule(zone="Pacific/Apia", weekday=4, hour=9),
            "2011-12-24T00:00",
            "2011-12-30T10:00",
            id="a Friday that never was: the first moment of Saturday",
        ),
        pytest.param(
            Schedule(zone="Australia/Lord_Howe", weekday=6, hour=2),
            "2026-10-03T00:00",
            "2026-10-03T15:30",
            id="half an hour of summer time: 2 o'clock does not exist, half past two does",
        ),
        pytest.param(
            Schedule(zone="Asia/Kathmandu", frequency=Frequency.DAILY, hour=6),
            "2026-01-01T00:15",
            "2026-01-02T00:15",
            id="an offset of quarters of an hour",
        ),
        pytest.param(
            Schedule(frequency=Frequency.IMMEDIATE),
            "2026-01-01T00:00",
            "2026-01-01T00:15",
            id="immediate: quarters of an hour",
        ),
    ],
)
def test_next_boundary(schedule: Schedule, after: str, boundary: str) -> None:
    assert next_boundary(utc(after), schedule) == utc(boundary)


@given(schedules, instants)
@settings(max_examples=300)
def test_a_boundary_lies_between_its_neighbours(schedule: Schedule, moment: datetime) -> None:
    """Latest and next enclose any moment, agree with each other, and are about a period apart."""
    before, after = latest_boundary(moment, schedule), next_boundary(moment, schedule)
    assert before <= moment < after
    assert latest_boundary(after, schedule) == after
    assert latest_boundary(after - TICK, schedule) == before
    assert next_boundary(before, schedule) == after
    assert next_boundary(before - TICK, schedule) == before
    assert before.utcoffset() == after.utcoffset() == timedelta(0)
    assert abs((after - before) - schedule.period) <= DAY


# What happens between two looks of the scheduler: seconds to months of sleep, and clocks stepped back.
sleeps = st.one_of(
    st.timedeltas(SECOND, HOUR),
    st.timedeltas(HOUR, 10 * DAY),
    st.timedeltas(10 * DAY, 120 * DAY),
    st.timedeltas(-3 * DAY, -SECOND),
)


@given(schedules, instants, st.lists(sleeps, min_size=1, max_size=40))
@settings(max_examples=300)
def test_windows_form_one_chain_whatever_the_clock_does(
    schedule: Schedule, start: datetime, steps: list[timedelta]
) -> None:
    """No gap, no overlap, each end on a boundary; nothing is left undone after a look."""
    until, now = latest_boundary(start, schedule), start
    for step in steps:
        now += step
        window = due_window(until, now, schedule)
        if window is not None:
            assert window.start == until < window.end <= now
            assert window.end == latest_boundary(now, schedule)
            until = window.end
        assert due_window(until, now, schedule) is None
        assert now < next_due(until, schedule)


@given(schedules, instants)
@settings(max_examples=60)
def test_a_scheduler_that_looks_often_sends_one_digest_per_boundary(schedule: Schedule, start: datetime) -> None:
    """As many windows as boundaries; a look at the very instant finds it, a look just before does not."""
    until = latest_boundary(start, schedule)
    for _ in range(12):
        due = next_due(until, schedule)
        assert due_window(until, due - TICK, schedule) is None
        assert due_window(until, due, schedule) == Window(until, due)
        until = due


def test_three_weeks_of_downtime_end_in_one_digest() -> None:
    schedule = Schedule(zone="America/Toronto")
    until = utc("2026-11-02T13:00")
    window = due_window(until, utc("2026-11-25T09:00"), schedule)
    assert window == Window(until, utc("2026-11-23T13:00"))
    assert next_due(window.end, schedule) == utc("2026-11-30T13:00")


def test_a_clock_that_ran_a_day_ahead_does_not_send_twice() -> None:
    """The digest went a day early; the true boundary finds it sent."""
    schedule = Schedule(zone="America/Toronto")
    until = utc("2026-11-16T13:00")
    early = due_window(until, utc("2026-11-23T14:00"), schedule)
    assert early is not None
    for now in ("2026-11-22T14:00", "2026-11-23T12:59", "2026-11-23T13:00", "2026-11-29T23:00"):
        assert due_window(early.end, utc(now), schedule) is None
    assert due_window(early.end, utc("2026-11-30T13:00"), schedule) is not None


@given(schedules, zones, instants, st.timedeltas(timedelta(0), WEEK))
@settings(max_examples=200)
def test_moving_house_keeps_one_digest_a_week(
    schedule: Schedule, new: str, start: datetime, moved_after: timedelta
) -> None:
    """A change of zone at any moment: half a week at the least and ten and a half days at the most between two."""
    here = replace(schedule, frequency=Frequency.WEEKLY)
    there = replace(here, zone=new)
    ends = [latest_boundary(start, here)]
    moved = ends[0] + moved_after
    if (window := due_window(ends[0], moved, here)) is not None:
        ends.append(window.end)
    for _ in range(3):
        ends.append(max(next_due(ends[-1], there), latest_boundary(moved, there)))
    for earlier, later in pairwise(ends):
        assert WEEK / 2 <= later - earlier <= 1.5 * WEEK + DAY


@pytest.mark.parametrize(("since", "due"), [(DAY / 2, True), (DAY / 2 - TICK, False)])
def test_a_boundary_counts_from_half_a_period_after_the_last_digest_on(*, since: timedelta, due: bool) -> None:
    schedule, boundary = Schedule(Frequency.DAILY, hour=8, zone="UTC"), utc("2026-11-23T08:00")
    until = boundary - since
    window = due_window(until.astimezone(ZoneInfo("Asia/Tokyo")), boundary, schedule)
    assert window == (Window(until, boundary) if due else None)
    assert window is None or window.start.tzinfo is UTC
    assert next_due(until, schedule) == (boundary if due else boundary + DAY)


def test_a_new_subscriber_gets_a_whole_first_week() -> None:
    schedule = Schedule(zone="America/Toronto")
    confirmed = utc("2026-11-22T23:00")
    first = latest_boundary(confirmed, schedule)
    assert next_due(first, schedule) == utc("2026-11-23T13:00")
    assert utc("2026-11-23T13:00") - first == WEEK


# --- every transition of every zone --------------------------------------------------------------------------


STRIDE = 4 * DAY
SAMPLES = [FIRST.replace(tzinfo=None) + i * STRIDE for i in range((LAST - FIRST) // STRIDE)]


def offsets(zone: str) -> tuple[timedelta | None, ...]:
    """The offsets every four days of the 60 years: the same for links such as Canada/Eastern."""
    info = ZoneInfo(zone)
    return tuple([info.utcoffset(sample) for sample in SAMPLES])


def transitions(zone: str, samples: tuple[timedelta | None, ...]) -> Iterator[datetime]:
    """The instants, to the second, at which the zone's offset changes."""
    info = ZoneInfo(zone)
    for i, (left, right) in enumerate(pairwise(samples)):
        if left == right:
            continue
        low, high = (SAMPLES[i] - DAY).replace(tzinfo=UTC), (SAMPLES[i + 1] + DAY).replace(tzinfo=UTC)
        before = low.astimezone(info).utcoffset()
        while high - low > SECOND:
            middle = low + (high - low) // SECOND // 2 * SECOND
            low, high = (middle, high) if middle.astimezone(info).utcoffset() == before else (low, middle)
        yield high


def test_every_transition_of_every_zone() -> None:
    """Around each of some 14,000 changes of clock: daily boundaries in order, each the first moment of its hour."""
    distinct = {offsets(zone): zone for zone in ZONES}
    seen = 0
    for samples, zone in distinct.items():
        for change in transitions(zone, samples):
            seen += 1
            for hour in {wall(change - TICK, zone).hour, wall(change, zone).hour}:
                check_days_around(change, Schedule(Frequency.DAILY, hour=hour, zone=zone))
    assert seen > 13_000


def check_days_around(change: datetime, schedule: Schedule) -> None:
    boundary = next_boundary(change - DAY, schedule)
    for _ in range(2):
        following = next_boundary(boundary, schedule)
        assert latest_boundary(following - TICK, schedule) == boundary < following, (schedule, change)
        local, just_before = wall(following, schedule.zone), wall(following - SECOND, schedule.zone)
        wanted = local.replace(hour=schedule.hour, minute=0, second=0)
        wanted -= DAY if wanted > local else timedelta(0)
        assert just_before < wanted <= local, (schedule, change, following)
        boundary = following
