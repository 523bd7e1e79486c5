"""When a source is visited next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.polling.pace import Bounds, Hints, Plan, Visit, next_visit
from monitor.polling.ttl import Asked

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOUNDS = Bounds()
SEEN = Visit("s", 2.5 * HOUR, entries=30, new=0, since_last=2 * HOUR)
JITTER = 0.11


def wait(plan: Plan) -> timedelta:
    return plan.at - MONDAY


@pytest.mark.parametrize(
    ("new", "interval"),
    [
        (0, 3 * HOUR),
        (5, 3 * HOUR),
        (9, 2 * HOUR * 30 / 9 / 3),
        (15, 2 * HOUR * 30 / 15 / 3),
        (25, 2 * HOUR * 30 / 25 / 3),
    ],
)
def test_the_interval_follows_the_overlap_and_the_rate(new: int, interval: timedelta) -> None:
    """Longer above 67 % known; but never beyond a third of the time in which the feed is replaced."""
    plan = next_visit(replace(SEEN, new=new), now=MONDAY)
    assert plan.interval == interval
    assert abs(wait(plan) - interval) <= JITTER * interval


def test_between_a_third_and_two_thirds_a_slow_feed_keeps_its_pace() -> None:
    plan = next_visit(replace(SEEN, new=15, since_last=30 * HOUR), now=MONDAY)
    assert plan.interval == SEEN.interval


def test_below_a_third_known_the_interval_halves() -> None:
    assert next_visit(replace(SEEN, new=25, since_last=30 * HOUR), now=MONDAY).interval == SEEN.interval / 2


def test_a_first_visit_neither_hurries_nor_alarms() -> None:
    plan = next_visit(Visit("s", HOUR, entries=30, new=30), now=MONDAY)
    assert plan.interval == HOUR
    assert not plan.missed


def test_a_visit_that_shares_nothing_with_what_is_known_alarms() -> None:
    plan = next_visit(replace(SEEN, new=30), now=MONDAY)
    assert plan.missed
    assert plan.interval < SEEN.interval


def test_an_empty_feed_does_not_alarm() -> None:
    assert not next_visit(replace(SEEN, entries=0), now=MONDAY).missed


def test_an_unchanged_answer_lengthens_to_six_hours_and_no_further() -> None:
    visit = Visit("s", BOUNDS.shortest, unchanged=True, since_last=HOUR)
    for _ in range(20):
        visit = replace(visit, interval=next_visit(visit, now=MONDAY).interval)
    assert visit.interval == timedelta(hours=6)


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        (Hints(fresh_for=4 * HOUR), 4 * HOUR),
        (Hints(fresh_for=timedelta(days=3)), 6 * HOUR),
        (Hints(fresh_for=timedelta(0)), 3 * HOUR),
        (Hints(asked=Asked(ttl=5 * HOUR)), 5 * HOUR),
        (Hints(asked=Asked(ttl=timedelta(days=365))), 6 * HOUR),
        (Hints(retry_after=20 * HOUR), 20 * HOUR),
    ],
)
def test_what_a_source_asks_for_counts_within_the_bounds(hints: Hints, expected: timedelta) -> None:
    plan = next_visit(SEEN, now=MONDAY, hints=hints)
    assert abs(wait(plan) - expected) <= JITTER * expected
    assert plan.interval == 3 * HOUR


def test_skipped_hours_are_left_out() -> None:
    hints = Hints(asked=Asked(skip_hours=frozenset(range(13, 17))))
    assert next_visit(SEEN, now=MONDAY, hints=hints).at.hour == 17


def test_skipping_everything_still_ends_with_the_bound() -> None:
    hints = Hints(asked=Asked(skip_hours=frozenset(range(24)), skip_days=frozenset(range(7))))
    assert wait(next_visit(SEEN, now=MONDAY, hints=hints)) == timedelta(hours=6)


def test_failures_back_off_to_the_bound_and_after_a_day_of_them_to_a_day() -> None:
    waits = [wait(next_visit(replace(SEEN, failures=count), now=MONDAY)) for count in range(1, 12)]
    assert waits[0] < timedelta(minutes=17)
    assert all(span <= timedelta(hours=6) for span in waits[:8])
    assert waits[-1] > timedelta(hours=21)
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits[:5]))


def test_a_failure_leaves_the_pace_as_it_was() -> None:
    assert next_visit(replace(SEEN, failures=3), now=MONDAY).interval == SEEN.interval


def test_retry_after_is_obeyed_in_failure() -> None:
    plan = next_visit(replace(SEEN, failures=1), now=MONDAY, hints=Hints(retry_after=24 * HOUR))
    assert wait(plan) == 24 * HOUR


def test_sources_added_together_do_not_stay_together() -> None:
    moments = {next_visit(replace(SEEN, slug=f"s{n}"), now=MONDAY).at for n in range(100)}
    assert len(moments) == 100


def test_what_a_source_asks_for_makes_visits_rarer_never_more_frequent() -> None:
    hints = Hints(fresh_for=timedelta(minutes=1), asked=Asked(ttl=timedelta(minutes=1)))
    assert next_visit(SEEN, now=MONDAY, hints=hints) == next_visit(SEEN, now=MONDAY)


def test_the_first_hour_that_is_not_to_be_skipped_is_taken() -> None:
    at = next_visit(SEEN, now=MONDAY).at
    skipping = Hints(asked=Asked(skip_hours=frozenset({at.hour})))
    assert next_visit(SEEN, now=MONDAY, hints=skipping).at == at + HOUR


def test_visits_are_spread_to_both_sides_of_the_pace() -> None:
    waits = [wait(next_visit(replace(SEEN, slug=f"s{n}"), now=MONDAY)) for n in range(200)]
    assert all(abs(one - 3 * HOUR) <= JITTER * 3 * HOUR for one in waits)
    assert 60 < sum(one > 3 * HOUR for one in waits) < 140
    assert max(waits) - min(waits) > 0.18 * 3 * HOUR


def test_a_feed_of_one_entry_alarms_too() -> None:
    assert next_visit(Visit("s", HOUR, entries=1, new=1, since_last=HOUR), now=MONDAY).missed


@pytest.mark.parametrize("failures", [6, 8])
def test_live_sources_that_fail_together_do_not_come_back_together(failures: int) -> None:
    bounds = Bounds(shortest=HOUR, longest=2 * HOUR)
    visits = (replace(SEEN, slug=f"s{n}", failures=failures) for n in range(100))
    waits = [wait(next_visit(visit, now=MONDAY, bounds=bounds)) for visit in visits]
    assert len({wait for wait in waits if wait < 2 * HOUR}) > 30


_SPANS = st.timedeltas(timedelta(0), timedelta(days=40))


@given(
    st.builds(
        Visit,
        slug=st.text(max_size=5),
        interval=_SPANS,
        entries=st.integers(0, 5000),
        new=st.just(0),
        since_last=st.none() | _SPANS,
        unchanged=st.booleans(),
        failures=st.just(0),
    ),
    st.floats(0, 1),
    st.builds(Hints, fresh_for=st.none() | _SPANS, asked=st.builds(Asked, ttl=st.none() | _SPANS)),
)
@settings(max_examples=300)
def test_a_live_source_is_visited_within_its_bounds(visit: Visit, share: float, hints: Hints) -> None:
    visit = replace(visit, new=int(visit.entries * share))
    plan = next_visit(visit, now=MONDAY, hints=hints)
    assert BOUNDS.shortest <= wait(plan) <= BOUNDS.longest
    assert BOUNDS.shortest <= plan.interval <= BOUNDS.longest
    assert plan == next_visit(visit, now=MONDAY, hints=hints)
