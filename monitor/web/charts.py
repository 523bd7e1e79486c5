"""Small bar charts as numbers that a template draws as SVG: no script, no style of its own, words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LOWEST_TOP = 4
"""The least that a full bar stands for: a single item shall not look like a wave."""

_GAP = 0.28  # of a bar's step
_STUB = 0.03  # of the height: what an empty week shows


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, in the units of the drawing; ``empty`` where it stands for nothing and only marks its place.

    ``part`` is how high it is filled, ``label`` what it says when pointed at.
    """

    x: float
    y: float
    width: float
    height: float
    count: int
    part: float
    label: str

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not self.count


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of some days or weeks, the oldest first, and what is said about them in words.

    ``step`` is the width of a bar with the gap after it.
    """

    width: float
    height: float
    bars: tuple[Bar, ...]
    counts: tuple[int, ...]
    step: float

    @property
    def total(self) -> int:
        """All that was counted."""
        return sum(self.counts)

    @property
    def most(self) -> int:
        """What the busiest of them had."""
        return max(self.counts, default=0)

    @property
    def last(self) -> int:
        """What the last of them had."""
        return self.counts[-1] if self.counts else 0


def bar_chart(
    counts: Sequence[int],
    *,
    parts: Sequence[int] = (),
    labels: Sequence[str] = (),
    width: float = 130,
    height: float = 28,
) -> Chart:
    """The chart of these counts, each with a bar of the same width.

    Args:
        counts: How much each bar stands for.
        parts: How much of it is filled; all where left out.
        labels: What each bar says; its count where left out.
        width: The width of the drawing; its unit is what the page makes of it.
        height: The height of the drawing, and of the tallest bar.
    """
    unit = height / max((*counts, _LOWEST_TOP))
    step = width / max(len(counts), 1)
    told = zip(counts, parts or counts, labels or map(str, counts), strict=True)
    bars = []
    for number, (count, part, label) in enumerate(told):
        x, wide, tall = round(number * step, 2), round(step * (1 - _GAP), 2), max(count * unit, height * _STUB)
        bars.append(Bar(x, round(height - tall, 2), wide, round(tall, 2), count, round(part * unit, 2), label))
    return Chart(width, height, tuple(bars), tuple(counts), round(step, 2))
