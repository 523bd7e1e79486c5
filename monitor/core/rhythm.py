"""Whether a source publishes as it usually does (pure)."""

from __future__ import annotations

from math import exp

_IMPROBABLE = 0.01


def unusually_quiet(recent: int, usual: float) -> bool:
    """Whether so few items in a week are hard to explain by chance.

    Items are taken to come as a Poisson process: a source with 5 a week is quiet with none (0.7 % by chance), one
    with 3 a week is not (5 %), and one with 40 is with 25.

    Args:
        recent: Items in the last seven days.
        usual: Items a week in the weeks before.
    """
    if usual <= recent:
        return False
    term = total = exp(-usual)
    for count in range(1, recent + 1):
        term *= usual / count
        total += term
    return total < _IMPROBABLE
