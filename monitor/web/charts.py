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
    """A bar, in the units of the drawing; ``empty`` where it stands for nothing and only marks its place."""

    x: float
    y: float
    width: float
    height: float
    count: int

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not self.count


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of some weeks, the oldest first, and what is said about them in words."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All that was counted."""
        return sum(self.counts)

    @property
    def most(self) -> int:
        """What the busiest week had."""
        return max(self.counts, default=0)

    @property
    def last(self) -> int:
        """What the last seven days had."""
        return self.counts[-1] if self.counts else 0


def bar_chart(counts: Sequence[int], *, width: float = 130, height: float = 28) -> Chart:
    """The chart of these counts, each with a bar of the same width."""
    top = max(*counts, _LOWEST_TOP)
    step = width / len(counts)
    bars = tuple(_bar(number * step, count, step * (1 - _GAP), height, top) for number, count in enumerate(counts))
    return Chart(width, height, bars, tuple(counts))


def _bar(x: float, count: int, width: float, height: float, top: int) -> Bar:
    tall = height * max(count / top, _STUB)
    return Bar(round(x, 2), round(height - tall, 2), round(width, 2), round(tall, 2), count)
