"""Items as a watchlist reads them: many at once, as arrays of the terms in them and of the places of these terms."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import get_args

import numpy as np

from monitor.core.nouns import Document, FieldName
from monitor.matching.analysis import analyse, tokens
from monitor.matching.arrays import Numbers, changes, spread
from monitor.matching.chunks import Chunks
from monitor.matching.lexicon import Lexicon
from monitor.matching.tree import AttributeName

FIELDS: tuple[FieldName, ...] = get_args(FieldName)

_PLACE_BITS = 32
_LAST = np.iinfo(np.intp).max


class Batch:
    """Items as a watchlist reads them, one or many.

    Their words stand in one row: title, summary and body of the first, then those of the second. After each text is a
    place at which no word stands (``gaps``), so that no phrase goes beyond it. Two terms in a row that some watch asks
    for are a term of their own, which stands where the first does.
    """

    def __init__(self, documents: Sequence[Document], lexicon: Lexicon) -> None:
        self.documents = documents
        self._chunks = Chunks([getattr(document, field) for document in documents for field in FIELDS])
        words, self._words_in_chunks = lexicon.read(self._chunks)
        self.gaps = (words == lexicon.gap).nonzero()[0]
        self._terms, self._pairs = lexicon.terms(words), lexicon.pairs(words)
        self.starts = np.concatenate(([0], self.gaps[len(FIELDS) - 1 :: len(FIELDS)] + 1))
        """The place at which each item begins, and the one behind all."""
        self._standing = self._sorted()

    def _sorted(self) -> Numbers:
        """Each term with each of its places, as one number, sorted; behind them one that is larger than all."""
        (terms, places), (pairs, places_of_pairs) = self._terms, self._pairs
        standing = np.concatenate((terms << _PLACE_BITS | places, pairs << _PLACE_BITS | places_of_pairs, [_LAST]))
        standing.sort()
        return standing

    def terms_of_items(self) -> tuple[Numbers, Numbers]:
        """Each term of each item once, sorted by term, and the numbers of these items."""
        standing = self._standing[:-1]
        terms = standing >> _PLACE_BITS
        sizes = self.starts[1:] - self.starts[:-1]
        items = np.arange(len(sizes)).repeat(sizes)[standing & (1 << _PLACE_BITS) - 1]
        once = changes(terms) | changes(items)
        return terms[once], items[once]

    def next_places(self, terms: Numbers, places: Numbers) -> Numbers:
        """The first place of each term that is not before a place; far behind all places where there is none."""
        standing = terms << _PLACE_BITS
        return self._standing[self._standing.searchsorted(standing | places)] - standing

    def places_in(self, terms: Numbers, items: Numbers) -> tuple[Numbers, Numbers]:
        """All places of each term in an item, and how many each has."""
        standing = terms << _PLACE_BITS
        first = self._standing.searchsorted(standing | self.starts[items])
        counts = self._standing.searchsorted(standing | self.starts[items + 1]) - first
        return self._standing[spread(first, counts)] - standing.repeat(counts), counts

    def standing_in(self, item: int) -> Iterator[tuple[int, int]]:
        """The terms of an item with their places, each term's places in order."""
        within = self.starts[item : item + 2]
        found = []
        for terms, places in (self._terms, self._pairs):
            first, end = places.searchsorted(within)
            found.append(zip(terms[first:end].tolist(), places[first:end].tolist(), strict=True))
        return chain.from_iterable(found)

    def word_at(self, place: int) -> tuple[int, int, int]:
        """The word at a place: the number of its text (three for each item), and its start and end there."""
        chunk = int(self._first_places.searchsorted(place, "right")) - 1
        (text_of_chunk,) = self._chunks.texts(np.array([chunk]))
        word = analyse(text_of_chunk)[place - int(self._first_places[chunk])]
        text = int(self.gaps.searchsorted(place))
        start = self._chunks.offset(text, chunk)
        return text, start + word.start, start + word.end

    @cached_property
    def _first_places(self) -> Numbers:
        """The place of the first word of each chunk: of those that begin at one place, the last one has the word."""
        return self._words_in_chunks.cumsum() - self._words_in_chunks


class Reading:
    """One item of a batch, for what is asked of few items: exact tests, and where the evidence is."""

    def __init__(self, batch: Batch, item: int) -> None:
        self.document = batch.documents[item]
        self._batch, self._item = batch, item

    def holds(self, terms: Iterable[int]) -> bool:
        """Whether all the terms are present."""
        return all(map(self._places.__contains__, terms))

    def places(self, term: int) -> Sequence[int]:
        """Where a term that is present stands, in order."""
        return self._places[term]

    @cached_property
    def _places(self) -> Mapping[int, Sequence[int]]:
        places: dict[int, list[int]] = {}
        for term, place in self._batch.standing_in(self._item):
            places.setdefault(term, []).append(place)
        return places

    @cached_property
    def ranges(self) -> Mapping[FieldName, range]:
        """The places of each field."""
        edges = (int(self._batch.starts[self._item]) - 1, *self._gaps)
        return dict(zip(FIELDS, (range(before + 1, gap) for before, gap in pairwise(edges)), strict=True))

    @cached_property
    def _gaps(self) -> list[int]:
        first = self._item * len(FIELDS)
        gaps: list[int] = self._batch.gaps[first : first + len(FIELDS)].tolist()
        return gaps

    def in_one_field(self, first: int, last: int) -> bool:
        """Whether two places lie in the same field."""
        return bisect_left(self._gaps, first) == bisect_left(self._gaps, last)

    def spot(self, first: int, last: int) -> tuple[int, int, int]:
        """The number of the field, and the start and the end in its original text, of the words between two places."""
        text, start, _ = self._batch.word_at(first)
        return text % len(FIELDS), start, self._batch.word_at(last)[2]

    def attribute(self, name: AttributeName) -> list[str]:
        """The values of an attribute, folded, their words separated by single spaces."""
        document = self.document
        values: Mapping[AttributeName, tuple[str, ...]] = {
            "source": (document.source,),
            "agency": (document.agency,),
            "country": (document.country,),
            "lang": (document.language or "",),
            "category": document.categories,
        }
        return [" ".join(token.word for token in tokens(value)) for value in values[name]]
