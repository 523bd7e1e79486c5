"""The tests of where words stand (in a row, near one another, in a field), asked of many items at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from monitor.matching.arrays import Flags, Lists, Numbers, spread
from monitor.matching.evaluate import WordsTest
from monitor.matching.reading import FIELDS, Batch

_ANYWHERE = -1


class PlacedTests:
    """Tests, numbered in order; ``lists`` are their numbers as the lists of tests came."""

    def __init__(self, lists: Sequence[Sequence[WordsTest]]) -> None:
        tests = list(chain.from_iterable(lists))
        numbers = iter(range(len(tests)))
        self.lists = Lists([[next(numbers) for _ in tests] for tests in lists])
        self._terms = Lists([test.terms for test in tests])
        self._widths = np.array([test.width or 0 for test in tests], np.intp)
        self._fields = np.array([FIELDS.index(test.field) if test.field else _ANYWHERE for test in tests], np.intp)

    def hold(self, batch: Batch, tests: Numbers, items: Numbers) -> Flags:
        """Whether each of the tests holds of the item beside it; all its terms are present there."""
        asked, begin = self._begin(batch, tests, items)
        gaps = batch.gaps.searchsorted(begin)
        fields = self._fields[tests[asked]]
        inside = (fields == _ANYWHERE) | (fields == gaps % len(FIELDS))
        asked, begin, ends = asked[inside], begin[inside], batch.gaps[gaps[inside]]
        holds = np.zeros(len(tests), bool)
        holds[asked[self._follow(batch, tests[asked], begin, ends)]] = True
        return holds

    def _begin(self, batch: Batch, tests: Numbers, items: Numbers) -> tuple[Numbers, Numbers]:
        """Where tests may begin to be true, and which: the places of the first word of a row, of any near another."""
        counts = np.where(self._widths[tests], self._terms.counts[tests], 1)
        terms = self._terms.values[spread(self._terms.starts[tests], counts)]
        asked = np.arange(len(tests)).repeat(counts)
        places, counts = batch.places_in(terms, items[asked])
        return asked.repeat(counts), places

    def _follow(self, batch: Batch, tests: Numbers, begin: Numbers, ends: Numbers) -> Flags:
        """Whether all words stand from where each test begins on: in a row, or within the width and before the end."""
        widths = self._widths[tests]
        ends = np.minimum(begin + widths, ends)

        def stands(terms: Numbers, left: Numbers, number: int) -> Flags:
            near = widths[left] > 0
            wanted = begin[left] + np.where(near, 0, number)
            found = batch.next_places(terms, wanted)
            return np.where(near, found < ends[left], found == wanted)

        return self._terms.all_hold(tests, stands)
