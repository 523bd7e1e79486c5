"""The watches of a watchlist, filed so that the cost of an item grows with its text and not with their number.

This is a percolator: each watch is filed under the rarest of the terms that must be present for it to be true
(one per alternative of an OR). The terms of the items at hand bring up what is filed under them, and one question after
another is put to all of that at once, until only what is true is left. What no array can answer (attributes, choices
within choices) is asked last, of the few that are left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np

from monitor.core.nouns import Watch
from monitor.matching.arrays import Flags, Lists, Numbers, changes, spread
from monitor.matching.evaluate import Alternative, Test, WordsTest
from monitor.matching.lexicon import Vocabulary
from monitor.matching.placed import PlacedTests
from monitor.matching.reading import Batch, Reading


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
        self._count, self._vocabulary_size = len(watches), vocabulary.size
        self._watches = np.array([number for _, number, _ in filed], np.intp)
        self._terms = Lists([terms for terms, _, _ in filed])
        # Asked first and of ten times as many as all else: the second rarest, or the rarest again where it is alone.
        self._seconds = np.array([terms[:2][-1] for terms, _, _ in filed], np.intp)
        self._without = Lists([tuple(one.without) for _, _, one in filed])
        self._placed = PlacedTests([_placed(one) for _, _, one in filed])
        self._others = {number: others for number, (_, _, one) in enumerate(filed) if (others := _others(one))}
        firsts = np.array([terms[0] for terms, _, _ in filed], np.intp)
        self._under = np.bincount(firsts, minlength=vocabulary.size)
        self._begin = self._under.cumsum() - self._under

    def true(self, batch: Batch) -> tuple[Numbers, Numbers]:
        """Which watches are true of which items: the numbers of items and of watches, by item and then by watch."""
        terms, items = batch.terms_of_items()
        present = _Present(terms, items, self._vocabulary_size, len(batch.documents))
        found = self._filed(terms, items)
        found = found.kept(present.holds(self._seconds[found.filed], found.items))
        found = found.narrowed(self._terms, present.holds, first=2)
        found = found.narrowed(self._without, present.lacks)
        found = found.narrowed(self._placed.lists, partial(self._placed.hold, batch))
        found = self._asked_one_by_one(found, batch)
        true = found.items * self._count + self._watches[found.filed]
        true.sort()
        return np.divmod(true[changes(true)], max(self._count, 1))

    def _filed(self, terms: Numbers, items: Numbers) -> _Found:
        """What is filed under the terms, with their items."""
        under = self._under[terms]
        some = under.nonzero()[0]
        under = under[some]
        return _Found(spread(self._begin[terms[some]], under), items[some].repeat(under))

    def _asked_one_by_one(self, found: _Found, batch: Batch) -> _Found:
        if not self._others:
            return found
        readings = {item: Reading(batch, item) for item in set(found.items.tolist())}
        pairs = zip(found.filed.tolist(), found.items.tolist(), strict=True)
        holds = [all(test.holds(readings[item]) for test in self._others.get(number, ())) for number, item in pairs]
        return found.kept(np.array(holds, bool))


class _Found(NamedTuple):
    """Alternatives that may be true of items, given by their numbers."""

    filed: Numbers
    items: Numbers

    def narrowed(self, lists: Lists, holds: Callable[[Numbers, Numbers], Flags], first: int = 0) -> _Found:
        """Those of which all holds that their lists name from the ``first`` entry on."""
        return self.kept(lists.all_hold(self.filed, lambda entries, left, _: holds(entries, self.items[left]), first))

    def kept(self, flags: Flags) -> _Found:
        return _Found(self.filed[flags], self.items[flags])


def _placed(alternative: Alternative) -> list[WordsTest]:
    return [test for test in alternative.tests if isinstance(test, WordsTest)]


def _others(alternative: Alternative) -> list[Test]:
    return [test for test in alternative.tests if not isinstance(test, WordsTest)]


class _Present:
    """Whether a term is in an item, for all of a batch: a table with a row for each term that is there.

    The rows stand one after another in one array: to find a place there takes half of the time.
    """

    def __init__(self, terms: Numbers, items: Numbers, vocabulary_size: int, item_count: int) -> None:
        rows = changes(terms).cumsum() * item_count  # the first row is for all terms that are in no item
        self._rows = np.zeros(vocabulary_size, np.int32)
        self._rows[terms] = rows
        self._table = np.zeros(item_count + rows[-1], bool)
        self._table[rows + items] = True

    def holds(self, terms: Numbers, items: Numbers) -> Flags:
        flags: Flags = self._table[self._rows[terms] + items]
        return flags

    def lacks(self, terms: Numbers, items: Numbers) -> Flags:
        return ~self.holds(terms, items)
