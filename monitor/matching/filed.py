"""The watches of a watchlist, filed so that the cost of an item grows with its text and not with their number.

This is a percolator: each watch is filed under the rarest of the terms that must be present for it to be true
(one per alternative of an OR). The terms of the items at hand bring up what is filed under them, and one test after
another is put to all of that at once, until only what is true is left. What no array can answer (attributes, choices
within choices) is asked last, of the few that are left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count

import numpy as np

from monitor.core.nouns import Watch
from monitor.matching.arrays import Flags, Lists, Numbers, spread
from monitor.matching.evaluate import Alternative, Test, WordsTest
from monitor.matching.lexicon import Vocabulary
from monitor.matching.reading import FIELDS, Batch, Reading

Asked = Callable[[Numbers, Numbers], Flags]
"""What is asked of many at once: whether each of some things (terms, tests), given by their numbers, is in an item."""


class Files:
    """The alternatives of the watches, in the order of their rarest terms.

    Which terms are rare is taken from the watches themselves: what many of them name is common.
    """

    def __init__(self, watches: Sequence[Watch], tests: Sequence[Test], vocabulary: Vocabulary) -> None:
        alternatives = [
            (number, one if one.terms else one._replace(terms=frozenset({vocabulary.gap(watch.language)})))
            for number, (watch, test) in enumerate(zip(watches, tests, strict=True))
            for one in test.alternatives()
        ]
        uses = Counter(chain.from_iterable(one.terms for _, one in alternatives))
        filed = [(sorted(one.terms, key=lambda term: (uses[term], term)), number, one) for number, one in alternatives]
        filed.sort(key=lambda entry: entry[0][0])
        self._count, self._terms_known = len(watches), vocabulary.size
        self._watches = np.fromiter((number for _, number, _ in filed), np.intp, len(filed))
        self._terms = Lists([terms for terms, _, _ in filed])
        self._without = Lists([tuple(one.without) for _, _, one in filed])
        self._placed = _Placed([one for _, _, one in filed])
        self._others = {number: others for number, (_, _, one) in enumerate(filed) if (others := _others(one))}
        firsts = np.fromiter((terms[0] for terms, _, _ in filed), np.intp, len(filed))
        self._under = np.bincount(firsts, minlength=self._terms_known)
        self._begin = self._under.cumsum() - self._under

    def true(self, batch: Batch) -> tuple[Numbers, Numbers]:
        """Which watches are true of which items: pairs of numbers, by item and then by watch."""
        terms, items = batch.terms_of_items()
        present = _Present(terms, items, self._terms_known, len(batch.documents))
        filed, items = self._filed(terms, items)
        filed, items = _narrowed(filed, items, self._terms, present.holds, first=1)
        filed, items = _narrowed(filed, items, self._without, present.lacks)
        filed, items = _narrowed(filed, items, self._placed.lists, self._placed.asked_of(batch))
        filed, items = self._asked_one_by_one(filed, items, batch)
        return np.divmod(np.unique(items * self._count + self._watches[filed]), max(self._count, 1))

    def _filed(self, terms: Numbers, items: Numbers) -> tuple[Numbers, Numbers]:
        """What is filed under the terms, with their items."""
        under = self._under[terms]
        some = under.nonzero()[0]
        under = under[some]
        return spread(self._begin[terms[some]], under), items[some].repeat(under)

    def _asked_one_by_one(self, filed: Numbers, items: Numbers, batch: Batch) -> tuple[Numbers, Numbers]:
        if not self._others:
            return filed, items
        readings: dict[int, Reading] = {}
        true = np.ones(len(filed), bool)
        for place, (number, item) in enumerate(zip(filed.tolist(), items.tolist(), strict=True)):
            if tests := self._others.get(number):
                reading = readings.setdefault(item, Reading(batch, item))
                true[place] = all(test.holds(reading) for test in tests)
        return filed[true], items[true]


def _placed(alternative: Alternative) -> list[WordsTest]:
    return [test for test in alternative.tests if isinstance(test, WordsTest)]


def _others(alternative: Alternative) -> list[Test]:
    return [test for test in alternative.tests if not isinstance(test, WordsTest)]


def _narrowed(
    filed: Numbers, items: Numbers, lists: Lists, asked: Asked, first: int = 0
) -> tuple[Numbers, Numbers]:
    """Those filed of which all is true that their lists name, from the ``first`` entry on."""
    true = np.ones(len(filed), bool)
    left = np.arange(len(filed))
    for number in count(first):
        left = left[lists.counts[filed[left]] > number]
        if not len(left):
            return filed[true], items[true]
        holds = asked(lists.values[lists.starts[filed[left]] + number], items[left])
        true[left] = holds
        left = left[holds]
    raise AssertionError


class _Present:
    """Whether a term is in an item, of all terms and items of a batch, as a table that has a row for each term there."""

    def __init__(self, terms: Numbers, items: Numbers, terms_known: int, item_count: int) -> None:
        first = np.ones(len(terms), bool)
        first[1:] = terms[1:] != terms[:-1]
        rows = first.cumsum()
        self._rows = np.zeros(terms_known, np.intp)  # row 0 is for the terms that are in no item
        self._rows[terms] = rows
        self._table = np.zeros((int(rows[-1]) + 1 if len(rows) else 1, item_count), bool)
        self._table[rows, items] = True

    def holds(self, terms: Numbers, items: Numbers) -> Flags:
        return self._table[self._rows[terms], items]

    def lacks(self, terms: Numbers, items: Numbers) -> Flags:
        return ~self.holds(terms, items)


class _Placed:
    """The tests of where words stand: in a row, near one another, in a field. All are asked at once."""

    def __init__(self, alternatives: Sequence[Alternative]) -> None:
        tests = list(chain.from_iterable(map(_placed, alternatives)))
        numbers = iter(range(len(tests)))
        self.lists = Lists([[next(numbers) for _ in _placed(one)] for one in alternatives])
        self._terms = Lists([test.terms for test in tests])
        self._widths = np.fromiter((test.width or 0 for test in tests), np.intp, len(tests))
        self._fields = np.fromiter((FIELDS.index(test.field) if test.field else -1 for test in tests), np.intp, len(tests))

    def asked_of(self, batch: Batch) -> Asked:
        return lambda tests, items: self._hold(tests, items, batch)

    def _hold(self, tests: Numbers, items: Numbers, batch: Batch) -> Flags:
        asked, begin = self._begin(tests, items, batch)
        widths, counts = self._widths[tests[asked]], self._terms.counts[tests[asked]]
        gaps = batch.gaps.searchsorted(begin)
        fields = self._fields[tests[asked]]
        left = ((fields < 0) | (fields == gaps % len(FIELDS))).nonzero()[0]
        ends = np.where(widths, np.minimum(begin + widths, batch.gaps[gaps]), 0)
        holds = np.zeros(len(tests), bool)
        for number in count():
            more = counts[left] > number
            holds[asked[left[~more]]] = True
            left = left[more]
            if not len(left):
                return holds
            terms = self._terms.values[self._terms.starts[tests[asked[left]]] + number]
            wanted = np.where(widths[left], begin[left], begin[left] + number)
            found = batch.next_places(terms, wanted)
            left = left[np.where(widths[left], found < ends[left], found == wanted)]
        raise AssertionError

    def _begin(self, tests: Numbers, items: Numbers, batch: Batch) -> tuple[Numbers, Numbers]:
        """Where what is asked may begin: each place of the first of words in a row, of any of words near one another."""
        firsts = np.where(self._widths[tests], self._terms.counts[tests], 1)
        terms = self._terms.values[spread(self._terms.starts[tests], firsts)]
        asked = np.arange(len(tests)).repeat(firsts)
        places, counts = batch.places_in(terms, items[asked])
        return asked.repeat(counts), places
