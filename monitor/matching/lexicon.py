"""Which terms of a watchlist a written word stands for.

A text has few distinct words and a newsroom's texts share most of theirs, so the reading of each chunk between
white space (fold, split, stem, look up) is done once and remembered: of 320 words, about 313 are known.

What is remembered of a word is its sign: one character for all words that stand for the same terms. A text then
becomes a string that is as long as the text has words, and what is asked of it (which words are there, where, which
two in a row) is answered by the string and set operations of the interpreter and not by loops over words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from threading import Lock

from monitor.core.languages import Language
from monitor.matching.analysis import Pattern, analyse, stem

Terms = tuple[int, ...]
"""The numbers of the terms that one word of a text stands for; most stand for none."""

_GAP = Pattern("word", "", capitals=False)
_REMEMBERED = 1 << 17  # chunks, in 11 MB; four years of White House releases have 230,000 of them, half seen once
_BLOCKS = {(False, False): 0, (False, True): 0x40000, (True, True): 0x80000, (True, False): 0xC0000}
"""Where the signs begin of words that may lead a pair or not, and follow in one or not; 262,144 are of each kind.

So an expression of two ranges finds what may be a pair: to look each two words up took twice as long.
"""
_MAY_PAIR = re.compile("(?=([\U00080000-\U0010ffff][\U00040000-\U000bffff]))")
_LONG = 256  # characters, above which a chunk (a data URL, a text without spaces) is not worth remembering


class Vocabulary:
    """The terms of a watchlist, numbered in the order in which they are first asked for."""

    def __init__(self) -> None:
        self.followers: dict[int, dict[int, int]] = {}
        """The terms that some watch asks for right after a term, with the number of the pair."""
        self.leaders: dict[int, dict[int, int]] = {}
        """The same the other way round: the terms asked for right before a term."""
        self.size = 0
        self._numbers: dict[Language, dict[Pattern, int]] = {language: {} for language in Language}
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

    def _next(self) -> int:
        self.size += 1
        return self.size - 1

    def terms(self, word: str, language: Language, *, capitals: bool) -> Iterator[int]:
        """Yield the numbers of all that a word of a text (see ``Token``) answers to."""
        numbers = self._numbers[language]
        for pattern in self._patterns(word, language, capitals=capitals):
            if pattern in numbers:
                yield numbers[pattern]

    def _patterns(self, word: str, language: Language, *, capitals: bool) -> Iterator[Pattern]:
        yield Pattern("word", word, capitals=False)
        if capitals:
            yield Pattern("word", word, capitals=True)
        if language is not Language.ANY:
            yield Pattern("stem", stem(word, language), capitals=False)
        for length in self._prefix_lengths[language]:
            if length <= len(word):
                yield Pattern("prefix", word[:length], capitals=False)
                if capitals:
                    yield Pattern("prefix", word[:length], capitals=True)


class Lexicon(dict[str, str]):
    """The signs of the words in each chunk, for texts that watches of ``languages`` read: ``lexicon["NATO's"]``.

    Safe to share between threads: an entry is the same whoever writes it, and a sign is known before it is given.
    An entry costs no memory but its key.
    """

    def __init__(self, vocabulary: Vocabulary, languages: tuple[Language, ...]) -> None:
        self._vocabulary = vocabulary
        self._languages = languages
        self._sign = lru_cache(_REMEMBERED // 2)(self._look_up)
        self._making = Lock()
        self._made: dict[Terms, str] = {}
        self._free = {kind: iter(range(start, start + 0x40000)) for kind, start in _BLOCKS.items()}
        self._signs: defaultdict[int, list[str]] = defaultdict(list)
        self.terms: dict[str, Terms] = {}
        """The terms that a sign stands for."""
        self.pairs: dict[str, Terms] = {}
        """The numbers of the pairs that two signs in a row stand for, if any."""
        self.gap = self._made_for(tuple(map(vocabulary.gap, languages)))

    def read(self, text: str) -> str:
        """The signs of the words of a text, one character each."""
        return "".join(map(self.__getitem__, text.split()))

    def pairs_in(self, words: str) -> Iterator[int]:
        """Yield the numbers of the pairs in a text."""
        return chain.from_iterable(map(self.pairs.__getitem__, self.pairs.keys() & _MAY_PAIR.findall(words)))

    def __missing__(self, chunk: str) -> str:
        signs = "".join(self._sign(word, capitals) for word, capitals, _, _ in analyse(chunk))
        if len(chunk) <= _LONG:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[chunk] = signs
        return signs

    def _look_up(self, word: str, capitals: bool) -> str:  # noqa: FBT001 - a key of the cache
        return self._made_for(
            tuple(
                term
                for language in self._languages
                for term in self._vocabulary.terms(word, language, capitals=capitals)
            )
        )

    def _made_for(self, terms: Terms) -> str:
        with self._making:
            return self._made.get(terms) or self._make(terms)

    def _make(self, terms: Terms) -> str:
        vocabulary = self._vocabulary
        leads = not vocabulary.followers.keys().isdisjoint(terms)
        follows = not vocabulary.leaders.keys().isdisjoint(terms)
        sign = chr(next(self._free[leads, follows]))
        self.terms[sign] = terms
        for term in terms:
            self._signs[term].append(sign)
        for term in terms:
            self._join(vocabulary.followers.get(term, {}), sign, follows=True)
            self._join(vocabulary.leaders.get(term, {}), sign, follows=False)
        self._made[terms] = sign
        return sign

    def _join(self, neighbours: Mapping[int, int], sign: str, *, follows: bool) -> None:
        """Note what a new sign and each sign of a neighbour stand for together."""
        for neighbour, pair in neighbours.items():
            for other in self._signs.get(neighbour, ()):
                both = sign + other if follows else other + sign
                if pair not in (known := self.pairs.get(both, ())):
                    self.pairs[both] = (*known, pair)
