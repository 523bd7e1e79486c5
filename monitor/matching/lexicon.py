"""Which terms of a watchlist a written word stands for.

A text has few distinct words and a newsroom's texts share most of theirs, so the reading of each chunk between
white space (fold, split, stem, look up) is done once and remembered: of 320 words, about 313 are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

from monitor.core.languages import Language
from monitor.matching.analysis import Pattern, analyse, stem

Terms = tuple[int, ...]
"""The numbers of the terms that one word of a text stands for; most stand for none."""

_Key = TypeVar("_Key")
_GAP = Pattern("word", "", capitals=False)
_REMEMBERED = 1 << 17  # chunks, in 30 MB; four years of White House releases have 230,000 of them, half seen once
_LONG = 256  # characters, above which a chunk (a data URL, a text without spaces) is not worth remembering


class Vocabulary:
    """The terms of a watchlist, numbered in the order in which they are first asked for."""

    def __init__(self) -> None:
        self.pairs: dict[int, dict[int, int]] = {}
        self._size = 0
        self._numbers: dict[Language, dict[Pattern, int]] = {language: {} for language in Language}
        self._prefix_lengths: dict[Language, set[int]] = {language: set() for language in Language}

    def number(self, language: Language, pattern: Pattern) -> int:
        """The number of what a watch in ``language`` asks of a word."""
        if pattern.kind == "prefix":
            self._prefix_lengths[language].add(len(pattern.form))
        return self._numbered(self._numbers[language], pattern)

    def pair(self, first: int, second: int) -> int:
        """The number of two terms in a row: a term of its own, or phrases of common words would be looked for often."""
        return self._numbered(self.pairs.setdefault(first, {}), second)

    def gap(self, language: Language) -> int:
        """The number of the term that stands between the fields of every item that ``language`` reads."""
        return self.number(language, _GAP)

    def _numbered(self, numbers: dict[_Key, int], key: _Key) -> int:
        if key not in numbers:
            numbers[key] = self._size
            self._size += 1
        return numbers[key]

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


class Lexicon(dict[str, tuple[Terms, ...]]):
    """The terms of each word in a chunk, for texts that watches of ``languages`` read: ``lexicon["NATO's"]``.

    Equal entries are one object, or most of the time would go into fetching them from memory (113 µs an item
    became 43). Safe to share between threads: an entry is the same whoever writes it.
    """

    def __init__(self, vocabulary: Vocabulary, languages: tuple[Language, ...]) -> None:
        self._vocabulary = vocabulary
        self._languages = languages
        self._terms = lru_cache(_REMEMBERED // 2)(self._look_up)
        self.pairs = vocabulary.pairs
        self._shared: dict[tuple[Terms, ...], tuple[Terms, ...]] = {}
        self.gap: tuple[Terms, ...] = (tuple(map(vocabulary.gap, languages)),)

    def __missing__(self, chunk: str) -> tuple[Terms, ...]:
        terms = tuple(self._terms(word, capitals) for word, capitals, _, _ in analyse(chunk))
        terms = self._shared.setdefault(terms, terms)
        if len(chunk) <= _LONG:
            if len(self) >= _REMEMBERED:
                self.clear()
                self._shared.clear()
            self[chunk] = terms
        return terms

    def _look_up(self, word: str, capitals: bool) -> Terms:  # noqa: FBT001 - a key of the cache
        return tuple(
            term for language in self._languages for term in self._vocabulary.terms(word, language, capitals=capitals)
        )
