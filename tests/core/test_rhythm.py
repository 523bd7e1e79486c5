"""A source is quiet when chance hardly explains it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.rhythm import gone_quiet, unusually_quiet


@pytest.mark.parametrize(
    ("recent", "usual", "quiet"),
    [
        (0, 5.0, True),
        (0, 3.0, False),
        (25, 40.0, True),
        (26, 40.0, False),
        (35, 40.0, False),
        (0, 0.0, False),
        (9, 5.0, False),
    ],
)
def test_cases(recent: int, usual: float, *, quiet: bool) -> None:
    assert unusually_quiet(recent, usual) is quiet


@given(st.integers(0, 200), st.floats(0, 300))
def test_one_more_item_never_makes_a_source_quieter(recent: int, usual: float) -> None:
    assert unusually_quiet(recent, usual) or not unusually_quiet(recent + 1, usual)


@pytest.mark.parametrize(
    ("before", "lately", "quiet"),
    [
        ((3,) * 20, (0, 0, 0, 0), True),
        ((3,) * 20, (1, 0, 0, 1), True),
        ((1,) * 20, (1, 0, 1, 0), False),
        ((0, 0, 0, 0, *(3,) * 16), (1, 0, 0, 0), True),
    ],
)
def test_a_topic_goes_quiet(before: tuple[int, ...], lately: tuple[int, ...], *, quiet: bool) -> None:
    assert gone_quiet((*before, *lately)) is quiet
