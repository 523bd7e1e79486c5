"""All active watches, compiled so that the cost of an item grows with its text and not with their number.

This is a percolator: each watch is filed under the rarest of the terms that must be present for it to be true
(one per alternative of an OR). Reading an item gives the set of the terms that are present; only watches filed
under one of them, and whose other required terms are there too, are evaluated.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, compress

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Document, Evidence, Watch
from monitor.core.text import content_hash
from monitor.errors import QueryError
from monitor.matching.evaluate import Test, compile_query
from monitor.matching.lexicon import Lexicon, Terms, Vocabulary
from monitor.matching.query import parse_query
from monitor.matching.reading import FIELDS, Reading
from monitor.texts import marked as _

MAX_EVIDENCE = 50
"""The most evidence that is kept of one watch in one item."""


class WatchHit:
    """A watch that is true of an item."""

    def __init__(self, watch: Watch, test: Test, reading: Reading) -> None:
        self.watch = watch
        self._test = test
        self._reading = reading

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """Where the words of the watch are: title first, in the order of the text, ``MAX_EVIDENCE`` at the most.

        A watch that only asked for attributes has the whole title as its evidence. Worked out when it is asked
        for: a backtest counts the hits of thousands of items and shows the evidence of a few.
        """
        reading, watch = self._reading, self.watch
        spots = sorted({(*reading.spot(first, last), term) for term, first, last in self._test.found(reading)})
        title = reading.document.title
        if not spots and title:
            spots = [(0, 0, len(title), watch.query)]
        return tuple(
            Evidence(watch.key, watch.version, term, FIELDS[field], start, end)
            for field, start, end, term in spots[:MAX_EVIDENCE]
        )


class Watchlist:
    """Compiled watches; made by ``compile_watchlist``, never changed, safe to share between threads.

    ``version`` changes when a watch does.
    """

    def __init__(self, watches: Iterable[Watch]) -> None:
        self.watches = tuple(watches)
        self.version = content_hash(*sorted(map(repr, self.watches)))
        vocabulary = Vocabulary()
        self._tests = tuple(_compile(watch, vocabulary) for watch in self.watches)
        self._files = _Files(self.watches, self._tests, vocabulary)
        self._lexicons = {language: Lexicon(vocabulary, (language, Language.ANY)) for language in READER_LANGUAGES}
        self._lexicons[Language.ANY] = Lexicon(vocabulary, tuple(Language))

    def match(self, document: Document) -> tuple[WatchHit, ...]:
        """Return the watches that are true of ``document``, in the order in which they were compiled.

        An item is read by the watches of its language and those of any; one of unknown language by all.
        """
        reading = Reading(document, self._lexicons[document.language or Language.ANY])
        true = sorted(set(self._files.true(reading)))
        return tuple(WatchHit(self.watches[number], self._tests[number], reading) for number in true)


def compile_watchlist(watches: Iterable[Watch]) -> Watchlist:
    """Compile watches for matching.

    Raises:
        QueryError: The query of a watch cannot be understood; the problem names the watch.
    """
    return Watchlist(watches)


def _compile(watch: Watch, vocabulary: Vocabulary) -> Test:
    try:
        return compile_query(parse_query(watch.query, watch.language), vocabulary)
    except QueryError as error:
        problem = _("%(watch)s: %(problem)s", watch=f"{watch.topic}/{watch.key}", problem=error.problem)
        raise QueryError(problem, error.position, error.remedy) from error


class _Files:
    """The alternatives of the watches, filed under the rarest of their terms; the second rarest is looked at next.

    Which terms are rare is taken from the watches themselves: what many of them name is common. What is looked at
    first are numbers in arrays, in the order of the rarest term: the objects of 100,000 watches lie all over the
    memory, and to fetch them from there cost more than all else.
    """

    def __init__(self, watches: Sequence[Watch], tests: Sequence[Test], vocabulary: Vocabulary) -> None:
        alternatives = [
            (number, one.terms or {vocabulary.gap(watch.language)}, one.tests)
            for number, (watch, test) in enumerate(zip(watches, tests, strict=True))
            for one in test.alternatives()
        ]
        uses = Counter(chain.from_iterable(terms for _, terms, _ in alternatives))
        filed = [
            (sorted(terms, key=lambda term: (uses[term], term)), watch, rest) for watch, terms, rest in alternatives
        ]
        filed.sort(key=lambda one: one[0][0])
        self._watches = array("l", [watch for _, watch, _ in filed])
        self._seconds = array(
            "l", [terms[:2][-1] for terms, _, _ in filed]
        )  # the rarest again where it is the only one
        self._rest = {
            number: (tuple(terms[2:]), rest) for number, (terms, _, rest) in enumerate(filed) if terms[2:] or rest
        }
        firsts = [terms[0] for terms, _, _ in filed]
        self._under = {term: range(bisect_left(firsts, term), bisect_right(firsts, term)) for term in set(firsts)}

    def true(self, reading: Reading) -> Iterator[int]:
        """Yield the numbers of the watches that are true, some of them several times."""
        present = reading.present
        filed = list(chain.from_iterable(map(self._under.__getitem__, present & self._under.keys())))
        for number in compress(filed, map(present.__contains__, map(self._seconds.__getitem__, filed))):
            if number not in self._rest or _holds(reading, *self._rest[number]):
                yield self._watches[number]


def _holds(reading: Reading, terms: Terms, tests: Sequence[Test]) -> bool:
    return reading.present.issuperset(terms) and all(test.holds(reading) for test in tests)
