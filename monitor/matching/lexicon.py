"""Which terms of a watchlist a written word stands for.

A text has few distinct words and a newsroom's texts share most of theirs, so the reading of each chunk (fold, split,
stem, look up; see ``chunks.py``) is done once and remembered: of 310 chunks, about 305 are known.

What is remembered of a word is its sign: a number for all words that stand for the same terms. Texts then become an
array of as many signs as they have words, and what is asked of them (which terms are there, where, which two in a row)
is answered for all of them at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from threading import Lock

import numpy as np

from monitor.core.languages import Language
from monitor.matching.analysis import Pattern, stem, words_of
from monitor.matching.arrays import Dictionary, Keys, Lists, Numbers, mixed
from monitor.matching.chunks import GAP, Chunks

Terms = tuple[int, ...]
"""The numbers of the terms that one word of a text stands for; most stand for none."""

_GAP = Pattern("word", "", capitals=False)
_REMEMBERED = 1 << 17  # chunks, in 9 MB; four years of White House releases have 170,000 of them, half seen once
_LEADS, _FOLLOWS = 1, 2
"""The lowest bits of a sign, which say whether it may be the first and the second of a pair.

To look each two words up would take several times as long.
"""


class Vocabulary:
    """The terms of a watchlist, numbered in the order in which they are first asked for."""

    def __init__(self) -> None:
        self.followers: dict[int, dict[int, int]] = {}
        """The terms that some watch asks for right after a term, with the number of the pair."""
        self.leaders: dict[int, dict[int, int]] = {}
        """The same the other way round: the terms asked for right before a term."""
        self.size = 0
        self._numbers: dict[Language, dict[tuple[str, str, bool], int]] = {language: {} for language in Language}
        self._prefix_lengths: dict[Language, set[int]] = {language: set() for language in Language}
        self._gaps = {language: self.number(language, _GAP) for language in Language}

    def number(self, language: Language, pattern: Pattern) -> int:
        """The number of what a watch in ``language`` asks of a word."""
        if pattern.kind == "prefix":
            self._prefix_lengths[language].add(len(pattern.form))
        numbers = self._numbers[language]
        if pattern not in numbers:
            numbers[pattern] = self._next()
        return numbers[pattern]

    def pair(self, first: int, second: int) -> int:
        """The number of two terms in a row: a term of its own, or phrases of common words would be looked for often."""
        followers = self.followers.setdefault(first, {})
        if second not in followers:
            followers[second] = self.leaders.setdefault(second, {})[first] = self._next()
        return followers[second]

    def gap(self, language: Language) -> int:
        """The number of the term that stands between the fields of every item that ``language`` reads."""
        return self._gaps[language]

    def has_terms(self, language: Language) -> bool:
        """Whether any watch in a language asks for words."""
        return len(self._numbers[language]) > 1

    def _next(self) -> int:
        self.size += 1
        return self.size - 1

    def terms(self, word: str, language: Language, *, capitals: bool) -> Iterator[int]:
        """Yield the numbers of all that a word of a text (see ``Token``) answers to."""
        numbers = self._numbers[language]
        for pattern in self._patterns(word, language, capitals=capitals):
            if pattern in numbers:
                yield numbers[pattern]

    def _patterns(self, word: str, language: Language, *, capitals: bool) -> Iterator[tuple[str, str, bool]]:
        """Yield the patterns that a word answers to, as plain tuples, which are made in a third of the time."""
        yield "word", word, False
        if capitals:
            yield "word", word, True
        if language is not Language.ANY:
            yield "stem", stem(word, language), False
        for length in self._prefix_lengths[language]:
            if length <= len(word):
                yield "prefix", word[:length], False
                if capitals:
                    yield "prefix", word[:length], True


class Lexicon:
    """The signs of the words in texts that watches of ``languages`` read.

    Safe to share between threads: whoever meets unknown chunks waits for the others that do, and what is remembered
    of a chunk is there before the chunk can be found.
    """

    def __init__(self, vocabulary: Vocabulary, languages: tuple[Language, ...]) -> None:
        self._vocabulary = vocabulary
        self._languages = tuple(filter(vocabulary.has_terms, languages))
        self._learning = Lock()
        self._chunks = Dictionary()
        self._sign = lru_cache(_REMEMBERED // 2)(self._look_up)
        self._made: dict[Terms, int] = {}
        self._signs: defaultdict[int, list[int]] = defaultdict(list)
        self._terms = Lists()
        self._pairs = Dictionary()
        self._new_pairs: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        self._made_for(())  # so that 0 is the sign of most words
        self.gap = self._made_for(tuple(map(vocabulary.gap, languages)))
        """The sign that stands at the end of each text."""

    def read(self, chunks: Chunks) -> tuple[Numbers, Numbers]:
        """The signs of the words in chunks, and how many words each chunk has."""
        known = self._chunks
        numbers = known.find(chunks.keys)
        unknown = (numbers < 0).nonzero()[0]
        if len(unknown):
            with self._learning:
                self._learn(known, chunks, unknown)
            numbers = known.find(chunks.keys)
        return known.lists.gather(numbers)

    def terms(self, words: Numbers) -> tuple[Numbers, Numbers]:
        """The terms that words, given by their signs, stand for, and the places of these words."""
        places = words.nonzero()[0]
        terms, counts = self._terms.gather(words[places] >> 2)
        return terms, places.repeat(counts)

    def pairs(self, words: Numbers) -> tuple[Numbers, Numbers]:
        """The numbers of the pairs among words, and the place of the first word of each."""
        places = (words[:-1] & (words[1:] >> 1) & 1).nonzero()[0]
        found = self._pairs.find(_key_of_pair(words[places], words[places + 1]))
        places, found = places[found >= 0], found[found >= 0]
        pairs, counts = self._pairs.lists.gather(found)
        return pairs, places.repeat(counts)

    def _learn(self, known: Dictionary, chunks: Chunks, unknown: Numbers) -> None:
        unknown = unknown[known.find(chunks.keys[unknown]) < 0]  # another thread may have learned some meanwhile
        once = dict(zip(chunks.keys[unknown].tolist(), unknown.tolist(), strict=True))
        signs = list(map(self._read_chunk, chunks.texts(np.fromiter(once.values(), np.intp, len(once)))))
        self._add_pairs()
        known.add(np.fromiter(once, np.uint64, len(once)), signs)
        if len(known.lists) >= _REMEMBERED:
            self._chunks = Dictionary()

    def _read_chunk(self, chunk: str) -> list[int]:
        if chunk == GAP:
            return [self.gap]
        return [self._sign(word, capitals) for word, capitals in words_of(chunk)]

    def _look_up(self, word: str, capitals: bool) -> int:  # noqa: FBT001 - a key of the cache
        return self._made_for(
            tuple(
                term
                for language in self._languages
                for term in self._vocabulary.terms(word, language, capitals=capitals)
            )
        )

    def _made_for(self, terms: Terms) -> int:
        if terms not in self._made:
            self._made[terms] = self._make(terms)
        return self._made[terms]

    def _make(self, terms: Terms) -> int:
        vocabulary = self._vocabulary
        (number,) = self._terms.extend([terms])
        sign = number << 2
        sign |= 0 if vocabulary.followers.keys().isdisjoint(terms) else _LEADS
        sign |= 0 if vocabulary.leaders.keys().isdisjoint(terms) else _FOLLOWS
        for term in terms:
            self._signs[term].append(sign)
        for term in terms:
            self._join(vocabulary.followers.get(term, {}), sign, follows=True)
            self._join(vocabulary.leaders.get(term, {}), sign, follows=False)
        return sign

    def _join(self, neighbours: Mapping[int, int], sign: int, *, follows: bool) -> None:
        """Note what a new sign and each sign of a neighbour stand for together."""
        for neighbour, pair in neighbours.items():
            for other in self._signs.get(neighbour, ()):
                self._new_pairs[(sign, other) if follows else (other, sign)].add(pair)

    def _add_pairs(self) -> None:
        if self._new_pairs:
            signs = np.array(list(self._new_pairs), np.intp)
            self._pairs.add(_key_of_pair(signs[:, 0], signs[:, 1]), list(map(tuple, self._new_pairs.values())))
            self._new_pairs.clear()


def _key_of_pair(first: Numbers, second: Numbers) -> Keys:
    return mixed((first << 32 | second).astype(np.uint64))
