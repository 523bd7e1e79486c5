"""Lists of numbers in arrays, so that what is asked of one is asked of thousands in one call.

The interpreter needs tens of nanoseconds for the least that it does, and the objects of a large watchlist lie all
over the memory, where each costs several times that to reach. Of an array, the processor fetches many entries at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]
"""Positions, lengths and numbers of things."""

Flags = NDArray[np.bool_]

Keys = NDArray[np.uint64]
"""Numbers of 64 bits, all of them random."""

_ROUNDS = tuple(
    zip(np.frombuffer(os.urandom(16), np.uint64) | np.uint64(1), np.array([32, 29], np.uint64), strict=True)
)


def mixed(numbers: Keys) -> Keys:
    """Other numbers that look random; different ones stay different.

    The factors are secret and new in each process: nobody can write words that are mistaken for each other.
    """
    for factor, shift in _ROUNDS:
        numbers = numbers * factor
        numbers ^= numbers >> shift
    return numbers


def spread(starts: Numbers, counts: Numbers) -> Numbers:
    """The numbers of all ranges, one after another: of starts 5, 9 and counts 2, 3 it is 5, 6, 9, 10, 11."""
    numbers: Numbers = np.arange(counts.sum()) + (starts - counts.cumsum() + counts).repeat(counts)
    return numbers


def changes(numbers: Numbers) -> Flags:
    """Which numbers differ from the one before them; the first does."""
    flags = np.ones(len(numbers), bool)
    np.not_equal(numbers[1:], numbers[:-1], out=flags[1:])
    return flags


class Lists:
    """Lists of numbers, numbered as they come; they are added and never changed.

    One thread may add while others read lists that were there before.
    """

    def __init__(self, lists: Iterable[Sequence[int]] = ()) -> None:
        self.starts = self.counts = self.values = np.zeros(0, np.intp)
        self._size = self._used = 0
        self.extend(list(lists))

    def __len__(self) -> int:
        return self._size

    def extend(self, lists: Sequence[Sequence[int]]) -> range:
        """Add lists, and return their numbers."""
        counts = np.fromiter(map(len, lists), np.intp, len(lists))
        ends = self._used + counts.cumsum()
        first, used = self._size, self._used + int(counts.sum())
        self.starts = _written(self.starts, first, ends - counts)
        self.counts = _written(self.counts, first, counts)
        flat = np.fromiter(chain.from_iterable(lists), np.intp, used - self._used)
        self.values = _written(self.values, self._used, flat)
        self._size, self._used = first + len(lists), used
        return range(first, self._size)

    def gather(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """The values of lists, one list after another, and how many each has."""
        counts = self.counts[numbers]
        return self.values[spread(self.starts[numbers], counts)], counts

    def all_hold(self, numbers: Numbers, holds: Callable[[Numbers, Numbers, int], Flags], first: int = 0) -> Flags:
        """Whether something holds of each entry of a list, from the ``first`` on, for all the lists.

        It is asked of all first entries, then of all second ones where the first held, and so on, and is told the
        entries, the positions in ``numbers`` of the lists that they are of, and which entries of these they are.
        """
        true = np.ones(len(numbers), bool)
        left = np.arange(len(numbers))
        while len(left := left[self.counts[numbers[left]] > first]):
            kept = holds(self.values[self.starts[numbers[left]] + first], left, first)
            true[left] = kept
            left, first = left[kept], first + 1
        return true


def _written(array: Numbers, start: int, values: Numbers) -> Numbers:
    """The array with values from ``start`` on, or, where it is too short for them, a copy with room for more."""
    if start + len(values) > len(array):
        grown = np.zeros(max(64, 2 * start, start + len(values)), array.dtype)
        grown[:start] = array[:start]
        array = grown
    array[start : start + len(values)] = values
    return array


class Dictionary:
    """A list of numbers for each of many keys.

    The keys stand in a table of which at most a quarter is filled, each at the place that its first bits say or at the
    next one that is free. One thread may add while others look up; they find an entry or not, and never half of one.
    """

    def __init__(self) -> None:
        self.lists = Lists()
        self._table = _empty(10)

    def find(self, keys: Keys) -> Numbers:
        """The number of the list of each key, -1 where there is none."""
        known, numbers, shift = self._table
        places = (keys >> shift).astype(np.intp)
        found = numbers[places]
        left = (found >= 0).nonzero()[0]
        while len(left):
            others = known[places[left]] != keys[left]
            left = left[others]
            places[left] = (places[left] + 1) % len(known)
            found[left] = here = numbers[places[left]]
            left = left[here >= 0]
        return found.astype(np.intp)

    def add(self, keys: Keys, lists: Sequence[Sequence[int]]) -> None:
        """Add a list for each key; the keys are new, and no two are the same."""
        numbers = np.asarray(self.lists.extend(lists), np.int32)
        known, old, _ = self._table
        if 4 * len(self.lists) > len(known):
            table = _empty((8 * len(self.lists)).bit_length())
            filled = old >= 0
            _put(table, known[filled], old[filled])
            self._table = table
        _put(self._table, keys, numbers)


_Table = tuple[Keys, NDArray[np.int32], np.uint64]


def _empty(bits: int) -> _Table:
    return np.zeros(1 << bits, np.uint64), np.full(1 << bits, -1, np.int32), np.uint64(64 - bits)


def _put(table: _Table, keys: Keys, numbers: NDArray[np.int32]) -> None:
    known, held, shift = table
    places = (keys >> shift).astype(np.intp)
    while len(keys):
        free = held[places] < 0
        # Of several that want one place, the last gets it; the others see the key of another there and go on.
        known[places[free]] = keys[free]
        held[places[free]] = numbers[free]
        others = known[places] != keys
        keys, numbers, places = keys[others], numbers[others], (places[others] + 1) % len(known)
