"""What changed between two versions of a text, word by word (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORDS = re.compile(r"\S+\s*|\s+")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_MOST_WORDS = 1_500
"""Of a passage that was rewritten: comparing it word by word takes time that grows with the square of its length."""

_MOST_LINES = 4_000
_CONTEXT = 160  # characters that stay the same and are shown before and after a change

Kind = Literal["same", "gone", "new", "left out"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text that is the same in both versions, only in the earlier, or only in the later.

    The text of a piece that is ``left out`` is empty: there both versions say the same at length.
    """

    kind: Kind
    text: str


def changes(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces that ``after`` consists of, and those of ``before`` that are not in it; long sameness is left out."""
    if before == after:
        return ()
    pieces = _joined(_compared(_LINES.findall(before), _LINES.findall(after), by_line=True))
    return tuple(shown for number, piece in enumerate(pieces) for shown in _shown(piece, number, len(pieces)))


def _compared(before: Sequence[str], after: Sequence[str], *, by_line: bool) -> Iterator[Piece]:
    if len(before) + len(after) > (_MOST_LINES if by_line else _MOST_WORDS):
        yield Piece("gone", "".join(before))
        yield Piece("new", "".join(after))
        return
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, new = "".join(before[a:b]), "".join(after[c:d])
        if tag == "equal":
            yield Piece("same", new)
        elif by_line and gone and new:
            yield from _compared(_WORDS.findall(gone), _WORDS.findall(new), by_line=False)
        else:
            yield Piece("gone", gone)
            yield Piece("new", new)


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """The pieces without empty ones, and with neighbours of one kind as one."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].kind == piece.kind:
            joined[-1] = Piece(piece.kind, joined[-1].text + piece.text)
        elif piece.text:
            joined.append(piece)
    return joined


def _shown(piece: Piece, number: int, count: int) -> Iterator[Piece]:
    """A piece, or what of a long sameness stands next to a change."""
    head = _CONTEXT if number else 0
    tail = _CONTEXT if number < count - 1 else 0
    if piece.kind != "same" or len(piece.text) <= head + tail + _CONTEXT:
        yield piece
        return
    # The words at the cut may be cut themselves.
    if before := _WORDS.findall(piece.text[:head])[:-1]:
        yield Piece("same", "".join(before))
    yield Piece("left out", "")
    if after := _WORDS.findall(piece.text[-tail:] if tail else "")[1:]:
        yield Piece("same", "".join(after))
