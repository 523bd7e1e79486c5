"""An item as a watchlist reads it: as a string of signs, one for each word (see ``lexicon.py``).

What is costly is worked out when it is first asked for: most items need only the set of terms that are present.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import get_args

from monitor.core.nouns import Document, FieldName
from monitor.matching.analysis import CHUNK, Token, analyse, tokens
from monitor.matching.lexicon import Lexicon
from monitor.matching.tree import AttributeName

FIELDS: tuple[FieldName, ...] = get_args(FieldName)


class Reading:
    """An item as a watchlist reads it.

    ``words[place]`` is the sign of a word, through title, summary and body. After each of them is a place at which
    no word stands, so that no phrase goes beyond it. ``present`` are all the terms, and pairs of terms, anywhere.
    """

    def __init__(self, document: Document, lexicon: Lexicon) -> None:
        self.document = document
        self._lexicon = lexicon
        self._fields = [lexicon.read(getattr(document, field)) for field in FIELDS]
        self.words = words = lexicon.gap.join((*self._fields, ""))
        self.present = set(chain.from_iterable(map(lexicon.terms.__getitem__, set(words))))
        self.present.update(lexicon.pairs_in(words))

    def signs(self, term: int) -> Sequence[str]:
        """The signs, among those of this item, that stand for a term."""
        return self._signs.get(term, ())

    @cached_property
    def _signs(self) -> Mapping[int, list[str]]:
        signs: dict[int, list[str]] = {}
        for sign in set(self.words):
            for term in self._lexicon.terms[sign]:
                signs.setdefault(term, []).append(sign)
        return signs

    def places(self, term: int) -> Sequence[int]:
        """Where a term stands, in order."""
        places = [place for sign in self.signs(term) for place in _places(self.words, sign)]
        places.sort()
        return places

    @cached_property
    def ranges(self) -> Mapping[FieldName, range]:
        """The places of each field."""
        starts = accumulate((len(field) + 1 for field in self._fields), initial=0)
        return dict(zip(FIELDS, (range(start, after - 1) for start, after in pairwise(starts)), strict=True))

    def in_one_field(self, first: int, last: int) -> bool:
        """Whether two places lie in the same field."""
        return self._lexicon.gap not in self.words[first:last]

    def spot(self, first: int, last: int) -> tuple[int, int, int]:
        """The number of the field, and the start and the end in its original text, of the words between two places."""
        number = self.words.count(self._lexicon.gap, 0, first)
        field = self._chunks[number]
        start = self.ranges[FIELDS[number]].start
        return number, field.token(first - start).start, field.token(last - start).end

    @cached_property
    def _chunks(self) -> list[_Chunks]:
        return [_Chunks(getattr(self.document, field), self._lexicon) for field in FIELDS]

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


class _Chunks:
    """The way back from the places of a field to the offsets in its text."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text = text
        self._lexicon = lexicon

    def token(self, place: int) -> Token:
        """The word at a place of the field, with its offsets."""
        number = bisect_right(self._firsts, place) - 1
        start, end = self._spans[number]
        word, capitals, first, last = analyse(self._text[start:end])[place - self._firsts[number]]
        return Token(word, capitals, start + first, start + last)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return [chunk.span() for chunk in CHUNK.finditer(self._text)]

    @cached_property
    def _firsts(self) -> list[int]:
        """The place of the first word of each chunk: of those that begin at one place, the last one has the word."""
        return list(accumulate(map(len, map(self._lexicon.__getitem__, self._text.split())), initial=0))


def _places(words: str, sign: str) -> Iterator[int]:
    place = words.find(sign)
    while place >= 0:
        yield place
        place = words.find(sign, place + 1)
