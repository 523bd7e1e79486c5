"""Small bar charts: where each bar stands, for the SVG of ``charts.html``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 100
"""The height of the tallest bar, in units of the drawing."""

BAR = 10
"""The width of a bar with the gap after it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its left edge, the height of the whole and of its filled part, and what it says when pointed at."""

    x: int
    height: float
    part: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its bars, its width in units of the drawing, its highest value and the sum of all."""

    bars: tuple[Bar, ...]
    width: int
    most: int
    total: int


def bar_chart(values: Sequence[tuple[str, int]], parts: Sequence[int] = ()) -> Chart:
    """A chart of values that count something.

    Args:
        values: What each bar stands for, and how high it is.
        parts: How much of each bar is filled; all of it where left out.
    """
    most = max((value for _, value in values), default=0)
    scale = HEIGHT / most if most else 0.0
    filled = parts or [value for _, value in values]
    bars = tuple(
        Bar(number * BAR, round(value * scale, 2), round(part * scale, 2), label)
        for number, ((label, value), part) in enumerate(zip(values, filled, strict=True))
    )
    return Chart(bars, max(BAR, len(bars) * BAR), most, sum(value for _, value in values))
