"""Text as people see it (``tidy``) and as matching compares it (``fold``).

Both exist because government pages hide characters in their text: 849 of 14,396 White House titles hold a
U+2060, and a plain search for "North American Leaders' Summit" finds none of its 42 titles.
"""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

_JOINERS = "\u200c\u200d"  # they shape Persian words and emoji families: kept for display
_SPELLED = {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "ł": "l", "Ł": "L", "ı": "i"}
_QUOTES = dict.fromkeys("‘’‚‛ʼʹʻ′´`＇", "'") | dict.fromkeys("“”„‟«»″〝〞＂", '"')
_PLAIN = _SPELLED | _QUOTES | {"\u2212": "-", "…": " "}


class _Table(dict[int, str]):
    """A table for ``str.translate`` that works a character out when it first meets it."""

    def __init__(self, work_out: Callable[[str], str]) -> None:
        self._work_out = work_out

    def __missing__(self, code: int) -> str:
        result = self[code] = self._work_out(chr(code))
        return result


def _tidied(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" and character not in _JOINERS:
        return ""
    return " " if category == "Cc" else character


def _unaccented(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(_PLAIN.get(part) or _unmarked(part) for part in decomposed)


def _unmarked(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Mn", "Cf"}:
        return ""
    if category == "Pd":
        return "-"
    if character.isspace() or category == "Cc":
        return " "
    folded = character.casefold()
    return character if len(folded) == 1 else folded


_TIDIED = _Table(_tidied)
_UNACCENTED = _Table(_unaccented)


def tidy(text: str) -> str:
    """Return ``text`` as one line for display.

    The result is NFC, holds no zero-width or control character, and separates its words by single spaces.
    """
    line = text.strip()
    if "  " in line or not line.isprintable():  # most are not, and to look takes half the time that splitting takes
        line = _cleaned(line)
    return line if line.isascii() else unicodedata.normalize("NFC", line)


def _cleaned(text: str) -> str:
    line = " ".join(text.split())
    if line.isprintable():  # most are, and to look takes a tenth of the time that the table takes
        return line
    return " ".join(line.translate(_TIDIED).split())


def visible_offsets(text: str) -> list[int]:
    """Return the offsets of the characters of ``text`` that ``tidy`` would not drop as zero-width."""
    return [offset for offset, character in enumerate(text) if _TIDIED[ord(character)]]


def unaccent(text: str) -> str:
    """Return ``text`` without accents, zero-width characters and typographic variants; case is kept.

    Letters are compatibility-decomposed (NFKD) and stripped of their marks, ``œ`` becomes ``oe``; every
    apostrophe, quotation mark and dash becomes the ASCII one, every white space a space.
    """
    return text.translate(_UNACCENTED)


def fold(text: str) -> str:
    """Return ``text`` as matching compares it: ``unaccent`` and without case."""
    return text.translate(_UNACCENTED).casefold()


class Offsets:
    """The way back from folded text to the original: ``Offsets(text).original(start, end)``.

    Folding works character by character, so that the offset of a folded character is the sum of what the
    characters before it became.
    """

    def __init__(self, text: str) -> None:
        lengths = (len(_UNACCENTED[ord(character)]) for character in text)
        self._ends = list(accumulate(lengths))

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text whose folded form is ``fold(text)[start:end]``, for start < end."""
        return bisect_right(self._ends, start), bisect_right(self._ends, end - 1) + 1


def content_hash(*parts: str) -> str:
    """Return a SHA-256, in hexadecimal, that changes when what a reader sees of ``parts`` changes.

    Each part goes in with its length before it, so that ``("ab", "c")`` and ``("a", "bc")`` differ.
    """
    digest = hashlib.sha256()
    for part in parts:
        line = " ".join(filter(None, map(tidy, part.split("\n"))))  # tidy(part): most lines are tidy by themselves
        data = line.encode(errors="surrogatepass")  # a lone surrogate may come out of JSON
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()
