"""How text becomes the words that watches are compared with.

White space always separates words, so each chunk between white space is analysed by itself (and the analysis of
a chunk can be remembered, which ``lexicon.py`` lives from). Within a chunk the same rules hold in every language:

- a hyphen, an apostrophe or any other sign separates words: ``cross-border`` is read as ``cross border``;
- an elided article or pronoun vanishes (``l'Arctique`` is ``Arctique``, ``d'alliance`` is ``alliance``), and so
  does a possessive (``Leader's`` is ``Leader``);
- dotted initials are one word (``U.S.`` is ``US``), and so is a letter with its number (``G-7`` is ``G7``);
- the plural of an acronym is the acronym (``NDCs`` is ``NDC``).

Only stems depend on the language. Accents are folded *before* stemming, or ``securite`` would miss ``sécurité``.
"""

from __future__ import annotations

import re
import string
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

import Stemmer

from monitor.core.languages import Language
from monitor.core.text import Offsets, unaccent

CHUNK = re.compile(r"\S+")
"""Finds what ``str.split()`` splits into, with offsets."""

_WORD = re.compile(
    r"""
      (?:[cdjlmnst]|(?:jus|lors|puis|quoi|pres|quel)?qu)'(?=[^\W_])  # elided: l'Arctique, qu'une
    | (?P<initials>[^\W\d_](?:\.[^\W\d_])+(?![^\W_])\.?)             # U.S., O.N.U.
    | (?P<numbered>[^\W\d_]-\d[^\W_]*)                               # G-7, F-35A
    | (?P<word>[^\W_]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"\.?'s(?![^\W_])", re.IGNORECASE)

_NO_WORD = string.punctuation + string.whitespace

_MAY_NEED_MENDING = {
    Language.EN: re.compile("iz|our|ence|re|programme"),
    Language.FR: re.compile("s$|it$"),
    Language.ES: re.compile("s$"),
}
_MENDED = {
    language: tuple((re.compile(pattern), replacement) for pattern, replacement in pairs)
    for language, pairs in {
        Language.EN: (
            (r"^(...+)iz(e|ed|es|er|ers|ing|ations?|ational)$", r"\1is\2"),  # modernize, organization
            (r"^(lab|neighb|harb|hon|fav|col|behavi|endeav)our", r"\1or"),
            (r"^(def|off|lic|pret)ence", r"\1ense"),
            (r"^(cent|theat|fib|.*met|.*lit)re(s?)$", r"\1er\2"),
            (r"^programme(s?)$", r"program\1"),
        ),
        Language.FR: (
            (r"^(.+er|.+(?:ss|x)ion)s$", r"\1"),  # aciers, leaders, commissions
            (r"^(empl|l|conv|env|tourn)ois$", r"\1oi"),
            (r"^(petit|credit|conflit|deficit|delit|profit|circuit|debit)$", r"\1s"),  # not verbs in -it
            (r"^(revenu|disparu)s$", r"\1"),
        ),
        Language.ES: (
            (r"^(.+(?:[aeiou][lnr]|[aeu]d))es$", r"\1"),  # mujeres, líderes, radares, desigualdades
            (r"^(.{2,3}[ao]|.+e[ao]|m[ai][nx]imo)s$", r"\1"),  # armas, líneas, mínimos
        ),
    }.items()
}
"""What Snowball would tear apart, mended before it: British and American spellings, and the singular and the plural
of some words (it stems *arma* to ``arma`` and *armas* to ``armas``, *líder* to ``lid`` and *líderes* to ``lider``)."""


class Token(NamedTuple):
    """A word of a text: ``word`` is folded, ``capitals`` says that it was written in two or more of them."""

    word: str
    capitals: bool
    start: int
    end: int


@lru_cache(maxsize=1 << 14)
def analyse(chunk: str) -> tuple[Token, ...]:
    """Return the words of a text that holds no white space, with their offsets in it."""
    found = _words(unaccent(chunk))
    if chunk.isascii():
        return tuple(Token(*_read(word), start, end) for word, start, end in found)
    original = Offsets(chunk).original
    return tuple(Token(*_read(word), *original(start, end)) for word, start, end in found)


def words_of(chunk: str) -> list[tuple[str, bool]]:
    """Return what ``analyse`` does without the offsets, which take most of its time: each word, and if in capitals."""
    return [_read(word) for word, _, _ in _words(unaccent(chunk).strip(_NO_WORD))]


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of ``text`` in order; their offsets cut them out of it."""
    for chunk in CHUNK.finditer(text):
        at = chunk.start()
        for word, capitals, start, end in analyse(chunk.group()):
            yield Token(word, capitals, at + start, at + end)


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the words of a text without accents, with their offsets."""
    if text.isalnum():
        yield text, 0, len(text)
        return
    position = 0
    while found := _WORD.search(text, position):
        start, position = found.span()
        if found.lastgroup:
            yield found.group().replace(".", "").replace("-", ""), start, position
            if possessive := _POSSESSIVE.match(text, position):
                position = possessive.end()


def _read(word: str) -> tuple[str, bool]:
    """The folded word, without the plural of an acronym, and whether it is written in capitals."""
    singular = word[:-1] if word[-1] == "s" and _in_capitals(word[:-1]) else word
    return singular.casefold(), _in_capitals(singular)


def _in_capitals(word: str) -> bool:
    return word.isupper() and sum(map(str.isalpha, word)) >= 2


class Pattern(NamedTuple):
    """What one word of a query asks of one word of a text; ``form`` is folded, and a stem or a prefix by kind."""

    kind: Literal["stem", "word", "prefix"]
    form: str
    capitals: bool


def patterns(text: str, language: Language, *, exact: bool) -> Iterator[Pattern]:
    """Yield what the words of a query ask for: a stem, unless they are exact, in capitals or end in a star."""
    for word, capitals, _, end in tokens(text):
        if text[end : end + 1] == "*":
            yield Pattern("prefix", word, capitals)
        elif exact or capitals or language is Language.ANY:
            yield Pattern("word", word, capitals)
        else:
            yield Pattern("stem", stem(word, language), capitals=False)


class _Stemmers(threading.local):
    """Snowball's stemmers keep state: each thread has its own. Without their caches, which are slower than to stem."""

    def __init__(self) -> None:
        self.by_language = {
            Language.EN: Stemmer.Stemmer("english", 0),
            Language.FR: Stemmer.Stemmer("french", 0),
            Language.ES: Stemmer.Stemmer("spanish", 0),
        }


_stemmers = _Stemmers()


def stem(word: str, language: Language) -> str:
    """Return the stem of a folded word; ``Language.ANY`` leaves it as it is.

    British and American spellings have one stem: a Canadian and an American release on one subject would
    otherwise need two watches (``defence`` and ``defense``, ``modernise`` and ``modernize``). So have the singular
    and the plural.
    """
    if language is Language.ANY:
        return word
    if _MAY_NEED_MENDING[language].search(word):
        for pattern, replacement in _MENDED[language]:
            word = pattern.sub(replacement, word)
    stemmed: str = _stemmers.by_language[language].stemWord(word)
    return stemmed
