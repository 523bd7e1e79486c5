"""An item as a watchlist reads it: as the numbers of the terms that its words stand for.

What is costly is worked out when it is first asked for: most items need only the set of terms that are present.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain, pairwise, repeat
from typing import get_args

from monitor.core.nouns import Document, FieldName
from monitor.matching.analysis import CHUNK, Token, analyse, tokens
from monitor.matching.lexicon import Lexicon, Terms
from monitor.matching.tree import AttributeName

FIELDS: tuple[FieldName, ...] = get_args(FieldName)


class FieldReading:
    """One field: what each chunk between white space stands for, and the way back to offsets."""

    def __init__(self, name: FieldName, text: str, lexicon: Lexicon) -> None:
        self.name = name
        self.chunks = list(map(lexicon.__getitem__, text.split()))
        self._text = text

    @property
    def size(self) -> int:
        """How many places for words the field has."""
        return sum(map(len, self.chunks))

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The offsets, in the original text, of the words from the ``first`` to the ``last`` place."""
        return self._token(first).start, self._token(last).end

    def _token(self, place: int) -> Token:
        chunk = self._owners[place]
        start, end = self._spans[chunk]
        word, capitals, first, last = analyse(self._text[start:end])[place - bisect_left(self._owners, chunk)]
        return Token(word, capitals, start + first, start + last)

    @cached_property
    def _owners(self) -> list[int]:
        """The number of the chunk that each place lies in."""
        return list(chain.from_iterable(map(repeat, range(len(self.chunks)), map(len, self.chunks))))

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return [chunk.span() for chunk in CHUNK.finditer(self._text)]


class Reading:
    """An item as a watchlist reads it.

    ``words[place]`` are the terms that a word stands for, through title, summary and body. After each of them is
    a place at which no word stands, so that no phrase goes beyond it. ``present`` are all the terms anywhere.
    """

    def __init__(self, document: Document, lexicon: Lexicon) -> None:
        self.document = document
        self._fields = [FieldReading(field, getattr(document, field), lexicon) for field in FIELDS]
        title, summary, body = (field.chunks for field in self._fields)
        gap = (lexicon.gap,)
        self.words: list[Terms] = list(chain.from_iterable(chain(title, gap, summary, gap, body, gap)))
        self._told = [place for place, terms in enumerate(self.words) if terms]  # most words stand for nothing
        self.present = set(chain.from_iterable(self.words))
        self.present.update(self._pairs(lexicon.pairs))

    def _pairs(self, pairs: Mapping[int, Mapping[int, int]]) -> Iterator[int]:
        """Yield the terms that stand for two in a row."""
        words = self.words
        for place, following in pairwise(self._told):
            if following == place + 1:
                for term in words[place]:
                    if term in pairs:
                        seconds = pairs[term]
                        for second in words[following]:
                            if second in seconds:
                                yield seconds[second]

    @cached_property
    def places(self) -> Mapping[int, list[int]]:
        """Where each term stands, in order."""
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place in self._told:
            for term in self.words[place]:
                places[term].append(place)
        return places

    @cached_property
    def ranges(self) -> Mapping[FieldName, range]:
        """The places of each field."""
        ranges: dict[FieldName, range] = {}
        start = 0
        for field in self._fields:
            ranges[field.name] = range(start, start + field.size)
            start += field.size + 1
        return ranges

    def in_one_field(self, first: int, last: int) -> bool:
        """Whether two places lie in the same field."""
        return any(first in places and last in places for places in self.ranges.values())

    def spot(self, first: int, last: int) -> tuple[int, int, int]:
        """The number of the field, the start and the end of the words from one place to another."""
        number, field = next(found for found in enumerate(self._fields) if first in self.ranges[found[1].name])
        start = self.ranges[field.name].start
        return number, *field.span(first - start, last - start)

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
