"""A page holds its rows and the way to the next; a cursor that nobody made is refused."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.ids import MOST_ID
from monitor.core.paging import cursor, page_of, read_cursor
from monitor.errors import Refused

MOMENT = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)


def made(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(("count", "shown", "follows"), [(0, 0, False), (3, 3, False), (4, 3, True)])
def test_the_row_too_many_tells_that_more_follow(count: int, shown: int, *, follows: bool) -> None:
    page = page_of(range(count), 3, lambda row: (row, str(row)))
    assert page.rows == tuple(range(shown))
    assert (read_cursor(page.following, int, str) == (2, "2")) if follows else not page.following


@given(st.integers(0, MOST_ID), st.floats(allow_nan=False), st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_a_cursor_holds_comes_back(number: int, score: float, text: str) -> None:
    made = cursor(number, score, text, MOMENT)
    assert re.fullmatch(r"[\w-]+", made, re.ASCII), "fit for the address of a page"
    assert read_cursor(made, int, float, str, datetime) == (number, score, text, MOMENT)


def test_a_time_comes_back_in_utc() -> None:
    (read,) = read_cursor(cursor(MOMENT.astimezone(timezone(timedelta(hours=-5)))), datetime)
    assert (read, read.tzinfo) == (MOMENT, UTC)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", int),
        ("?", int),
        ("é", int),
        (made(7), int),
        (made([1, 2]), int),
        (made([-1]), int),
        (made([2**31]), int),
        (made([]), int),
        (made(["1"]), int),
        (made([1.5]), int),
        (made([True]), int),
        (made([2**63]), int),
        (made([-(2**63) - 1]), int),
        (made([1]), str),
        (made(["\ud800"]), str),
        (made([None]), datetime),
        (made(["soon"]), datetime),
        (made(["2026-11-23T12:00:00"]), datetime),
        (made(["0001-01-01T00:00:00+23:59"]), datetime),
        (made(["x" * 600]), str),
    ],
)
def test_a_cursor_that_nobody_made_is_refused(text: str, kind: type) -> None:
    with pytest.raises(Refused, match=rf"^cursor {re.escape(repr(text[:40]))}: .* leave it out$"):
        read_cursor(text, kind)
