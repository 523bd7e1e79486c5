"""The sentence around the evidence, for the log, the page and the mail."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from monitor.core.nouns import Document, Evidence, FieldName
from monitor.core.text import tidy

Span = tuple[int, int]

_FIELD_ORDER: tuple[FieldName, ...] = ("summary", "body", "title")
_SPACE = re.compile(r"\s+")
_STOP = re.compile(
    r"""
      (?P<mark>[.!?…])["'”’»)\]]*(?=\s+["'“‘«(\[¿¡]*(?P<next>[^\W_]))  # a full stop before a word
    | \s*\n\s*\n                                                       # a blank line
    | \n(?=\s*(?P<line>\S))                                            # a line
    """,
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"""(?<![^\W_])(?:
        (?:[^\W\d_]\.-?)*[^\W\d_]                                      # initials: J. Smith, the U.S. Navy
      | EE | UU | Dr | Dra | Prof | Hon | Rev | St | Ste | Jr
      | Mr | Mrs | Ms | Mx | Mme | Mlle | MM | Me | Sr | Sra | Srta | Lic | Ing
      | Gen | Gén | Gral | Lt | Col | Cmdr | Capt | Maj | Sgt | Adm | Gov | Sen | Rep | Amb | Sec
      | No | Nos | Núm | art | vs | cf | Inc | Ltd | Co | Corp | Dept | approx | p\.\s?ex | p\.\s?ej
      | Jan | Feb | Aug | Sept? | Oct | Nov | Dec | janv | févr | juill | déc
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 12


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence of an item. Each part is a piece of it and whether it is evidence, to be highlighted."""

    field: FieldName
    parts: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts)


def excerpt(document: Document, evidence: Iterable[Evidence], *, limit: int = 300) -> Excerpt:
    """Return the sentence that shows best why ``document`` matched, in at most ``limit`` characters.

    That is the sentence with the most different terms in it, the first of equals. The title, which a reader
    sees anyway, is shown only where summary and body hold no evidence. White space is made even.
    """
    # A text that has just changed may be shorter than the one in which the evidence was found.
    within = (found for found in evidence if found.end <= len(getattr(document, found.field)))
    places = sorted(within, key=lambda found: (_FIELD_ORDER.index(found.field), found.start))
    places = [found for found in places if found.field != "title"] or places
    sentences: dict[tuple[FieldName, Span], list[Evidence]] = {}
    for field, of_field in groupby(places, key=lambda found: found.field):
        stops = list(_stops(getattr(document, field)))
        for found in of_field:
            sentences.setdefault((field, _between(stops, found)), []).append(found)
    if not sentences:
        return Excerpt("title", _parts(document.title, (0, len(document.title)), (), limit))
    (field, span), best = max(sentences.items(), key=lambda entry: len({found.term for found in entry[1]}))
    return Excerpt(field, _parts(getattr(document, field), span, _merged(best), limit))


def _stops(text: str) -> Iterator[int]:
    """Yield where the sentences of ``text`` begin and, after all, where it ends."""
    yield 0
    for stop in _STOP.finditer(text):
        if _ends_sentence(text, stop):
            yield stop.end()
    yield len(text)


def _ends_sentence(text: str, stop: re.Match[str]) -> bool:
    if stop["line"]:
        return not stop["line"].islower()
    if not stop["mark"]:
        return True
    before = text[max(0, stop.start() - _LONGEST_ABBREVIATION) : stop.start()]
    return not stop["next"].islower() and not (stop["mark"] == "." and _ABBREVIATION.search(before))


def _between(stops: list[int], found: Evidence) -> Span:
    """The span of the sentence, or of the sentences, that ``found`` lies in."""
    return stops[bisect_right(stops, found.start) - 1], stops[bisect_left(stops, found.end)]


def _merged(evidence: Iterable[Evidence]) -> tuple[Span, ...]:
    """The spans of evidence that is sorted by its start, where it overlaps as one."""
    merged: list[Span] = []
    for found in evidence:
        if merged and found.start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(found.end, merged[-1][1])
        else:
            merged.append((found.start, found.end))
    return tuple(merged)


def _parts(text: str, span: Span, marks: tuple[Span, ...], limit: int) -> tuple[tuple[str, bool], ...]:
    """Cut ``text`` to ``span`` and to ``limit``, and into pieces at the edges of the marks."""
    span = _stripped(text, *span)
    start, end = _window(text, span, marks, limit)
    edges = [start, *(min(max(edge, start), end) for mark in marks for edge in mark), end]
    pieces = [(_even(text[a:b]), number % 2 == 1) for number, (a, b) in enumerate(pairwise(edges))]
    opening = ("…" if start > span[0] else "", False)
    closing = ("…" if end < span[1] else "", False)
    return tuple((piece, marked) for piece, marked in (opening, *pieces, closing) if piece)


def _window(text: str, span: Span, marks: tuple[Span, ...], limit: int) -> Span:
    """The part of ``span``, at most ``limit`` long with its ellipses, around the first mark."""
    start, end = span
    if end - start <= limit:
        return span
    room = limit - 2
    first, last = marks[0] if marks else (start, start)
    if last - start > room:  # a third of the room stands before the evidence
        start = _after_space(text, max(start, first - room // 3), first)
    return start, end if end - start <= room else _before_space(text, min(last, start + room), start + room)


def _stripped(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _after_space(text: str, start: int, end: int) -> int:
    space = _SPACE.search(text, start, end)
    return space.end() if space else start


def _before_space(text: str, start: int, end: int) -> int:
    spaces = [space.start() for space in _SPACE.finditer(text, start, end + 1)]
    return spaces[-1] if spaces else end


def _even(piece: str) -> str:
    """``piece`` tidied, but with a space where it begins or ends with white space."""
    middle = tidy(piece)
    if not middle:
        return piece and " "
    return " " * piece[0].isspace() + middle + " " * piece[-1].isspace()
