"""A compiled query: whether it is true of an item, by which words, and which terms it cannot do without.

A query is kept in two forms. Its tests answer "where". Its alternatives answer "whether", and are what the
watchlist is indexed by: ``norad AND (radar OR "early warning") AND NOT santa`` has one alternative, which needs
the term ``norad`` and, of an item that has it, that the tests of the other two parts hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, starmap
from typing import NamedTuple, Protocol

from monitor.core.languages import Language
from monitor.matching.analysis import patterns, tokens
from monitor.matching.lexicon import Terms, Vocabulary
from monitor.matching.query import Query
from monitor.matching.reading import Reading
from monitor.matching.tree import And, Attribute, Node, Not, Or, Words


class Occurrence(NamedTuple):
    """Where the words of ``term`` were found: the places of the first and the last of them."""

    term: str
    first: int
    last: int


class Test(Protocol):
    """A node of a compiled query."""

    def holds(self, reading: Reading) -> bool:
        """Whether the item satisfies the test."""

    def found(self, reading: Reading) -> Iterator[Occurrence]:
        """Yield the words that make the test true, given that it is."""

    def alternatives(self) -> list[Alternative]:
        """What the test comes to: it holds where one of these does."""


class Alternative(NamedTuple):
    """One way for a query to be true: ``terms`` are all present, ``without`` are all absent and all tests hold."""

    terms: frozenset[int] = frozenset()
    without: frozenset[int] = frozenset()
    tests: tuple[Test, ...] = ()


def compile_query(query: Query, vocabulary: Vocabulary) -> Test:
    """Compile a query whose terms are numbered by ``vocabulary``."""
    return _compile(query.root, query.language, vocabulary)


def _compile(node: Node, language: Language, vocabulary: Vocabulary) -> Test:
    match node:
        case Words():
            asked = patterns(node.text, language, exact=node.exact)
            return WordsTest(node, tuple(vocabulary.number(language, pattern) for pattern in asked), vocabulary)
        case Attribute():
            return _Attribute(node)
        case Not(child):
            return _Not(_compile(child, language, vocabulary))
        case And(nodes):
            return _And(tuple(_compile(child, language, vocabulary) for child in nodes))
        case Or(nodes):
            return _Or(tuple(_compile(child, language, vocabulary) for child in nodes))


class WordsTest:
    """A word, words in a row, or words near one another.

    ``terms`` have to be present: those of the words, or of words in a row their pairs. Where ``is_placed``, that is not
    enough: in a row they have to be one after another, near (``width`` is not None) within so many places, and in the
    ``field``, if any.
    """

    __slots__ = ("_size", "field", "is_placed", "term", "terms", "width")

    def __init__(self, words: Words, terms: Terms, vocabulary: Vocabulary) -> None:
        self.term = words.term
        self.field = words.field
        self.width = None if words.near is None else len(terms) + words.near
        in_a_row = len(terms) > 1 and words.near is None
        self.terms = tuple(starmap(vocabulary.pair, pairwise(terms))) if in_a_row else terms
        self.is_placed = len(self.terms) > 1 or words.field is not None
        self._size = len(terms)

    def holds(self, reading: Reading) -> bool:
        """Whether the words are there, and placed as asked."""
        if not reading.holds(self.terms):
            return False
        return not self.is_placed or next(self._places(reading), None) is not None

    def found(self, reading: Reading) -> Iterator[Occurrence]:
        """Yield the words wherever they stand as asked."""
        for first, last in self._places(reading):
            yield Occurrence(self.term, first, last)

    def alternatives(self) -> list[Alternative]:
        """The terms, and the test itself where they do not suffice."""
        return [Alternative(frozenset(self.terms), tests=(self,) if self.is_placed else ())]

    def _places(self, reading: Reading) -> Iterator[tuple[int, int]]:
        places = self._in_a_row(reading) if self.width is None else self._near_one_another(reading, self.width)
        if self.field:
            of_field = reading.ranges[self.field]
            return (place for place in places if place[0] in of_field)
        return places

    def _in_a_row(self, reading: Reading) -> Iterator[tuple[int, int]]:
        shifted = ({place - number for place in reading.places(term)} for number, term in enumerate(self.terms))
        for first in sorted(set.intersection(*shifted)):
            yield first, first + self._size - 1

    def _near_one_another(self, reading: Reading, width: int) -> Iterator[tuple[int, int]]:
        """Yield the windows that hold all terms, are at most ``width`` wide, and hold no smaller such window."""
        standing: dict[int, list[int]] = {}
        for term in set(self.terms):
            for place in reading.places(term):
                standing.setdefault(place, []).append(term)
        latest = dict.fromkeys(self.terms, -width)
        previous = -1
        for last in sorted(standing):
            for term in standing[last]:
                latest[term] = last
            first = min(latest.values())
            if first > previous and last - first < width and reading.in_one_field(first, last):
                yield first, last
                previous = first


class _Attribute:
    __slots__ = ("_name", "_pattern")

    def __init__(self, attribute: Attribute) -> None:
        text = attribute.text
        words = (word + (r"\S*" if text[end : end + 1] == "*" else "") for word, _, _, end in tokens(text))
        self._name = attribute.name
        self._pattern = re.compile(rf"(?<!\S){' '.join(words)}(?!\S)")

    def holds(self, reading: Reading) -> bool:
        return any(map(self._pattern.search, reading.attribute(self._name)))

    def found(self, _: Reading) -> Iterator[Occurrence]:
        return iter(())

    def alternatives(self) -> list[Alternative]:
        return [Alternative(tests=(self,))]


class _Not:
    __slots__ = ("_test",)

    def __init__(self, test: Test) -> None:
        self._test = test

    def holds(self, reading: Reading) -> bool:
        return not self._test.holds(reading)

    def found(self, _: Reading) -> Iterator[Occurrence]:
        return iter(())

    def alternatives(self) -> list[Alternative]:
        alternatives = self._test.alternatives()
        if all(len(one.terms) == 1 and not one.without and not one.tests for one in alternatives):
            return [Alternative(without=frozenset().union(*(one.terms for one in alternatives)))]
        return [Alternative(tests=(self,))]


class _And:
    __slots__ = ("_tests",)

    def __init__(self, tests: tuple[Test, ...]) -> None:
        self._tests = tests

    def holds(self, reading: Reading) -> bool:
        return all(test.holds(reading) for test in self._tests)

    def found(self, reading: Reading) -> Iterator[Occurrence]:
        return chain.from_iterable(test.found(reading) for test in self._tests)

    def alternatives(self) -> list[Alternative]:
        """One alternative where a part without a choice names a term; else as many as the smallest choice has."""
        parts = [(test, test.alternatives()) for test in self._tests]
        sure = [alternatives[0] for _, alternatives in parts if len(alternatives) == 1]
        choices = [(test, alternatives) for test, alternatives in parts if len(alternatives) > 1]
        together = _joined(sure)
        if together.terms or not choices:
            return [_joined([together, Alternative(tests=tuple(test for test, _ in choices))])]
        chosen, alternatives = min(choices, key=lambda choice: len(choice[1]))
        others = Alternative(tests=tuple(test for test, _ in choices if test is not chosen))
        return [_joined([one, together, others]) for one in alternatives]


class _Or:
    __slots__ = ("_tests",)

    def __init__(self, tests: tuple[Test, ...]) -> None:
        self._tests = tests

    def holds(self, reading: Reading) -> bool:
        return any(test.holds(reading) for test in self._tests)

    def found(self, reading: Reading) -> Iterator[Occurrence]:
        return chain.from_iterable(test.found(reading) for test in self._tests if test.holds(reading))

    def alternatives(self) -> list[Alternative]:
        return [alternative for test in self._tests for alternative in test.alternatives()]


def _joined(alternatives: Sequence[Alternative]) -> Alternative:
    """All of the alternatives at once."""
    return Alternative(
        frozenset[int]().union(*(one.terms for one in alternatives)),
        frozenset[int]().union(*(one.without for one in alternatives)),
        tuple(chain.from_iterable(one.tests for one in alternatives)),
    )
