"""Whether a source, or a topic, has as much news as it usually has (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

_IMPROBABLE = 0.01


def unusually_quiet(recent: int, usual: float) -> bool:
    """Whether so few items in a week are hard to explain by chance.

    Items are taken to come as a Poisson process: a source with 5 a week is quiet with none (0.7 % by chance), one
    with 3 a week is not (5 %), and one with 40 is with 25.

    Args:
        recent: Items in the last seven days, or another span.
        usual: Items in such a span before, on average.
    """
    if usual <= recent:
        return False
    term = total = exp(-usual)
    for count in range(1, recent + 1):
        term *= usual / count
        total += term
    return total < _IMPROBABLE


_LATELY = 4  # weeks


def gone_quiet(weeks: Sequence[int]) -> bool:
    """Whether a topic had no news in the last four weeks, or so little that chance hardly explains it.

    Args:
        weeks: How much news it had in each week, the oldest first; more than four.
    """
    recent, before = sum(weeks[-_LATELY:]), weeks[:-_LATELY]
    return not recent or unusually_quiet(recent, _LATELY * sum(before) / len(before))
