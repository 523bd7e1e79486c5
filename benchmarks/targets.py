"""What a benchmark is to reach, as a table of the same form in each; ``page.py`` puts all of them into one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

COLUMNS = "target | here | asked for | |"


class Target(NamedTuple):
    """What is measured, and the bound that it is to keep: the least, or with ``most`` the greatest."""

    name: str
    here: float
    bound: float
    most: bool = False

    @property
    def met(self) -> bool:
        return self.here <= self.bound if self.most else self.here >= self.bound


def tell_targets(targets: Iterable[Target]) -> None:
    """Print what was reached of what was asked for; a missed target is told, not raised."""
    print(f"\n| {COLUMNS}\n|--|--:|--:|--|")
    for target in targets:
        bound = f"at {'most' if target.most else 'least'} {target.bound:,.4g}"
        print(f"| {target.name} | {target.here:,.4g} | {bound} | {'met' if target.met else 'missed'} |")
