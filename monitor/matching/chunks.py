"""Texts cut into chunks that can be analysed one by one, many texts at once.

A chunk is what stands between signs that are never part of a word, nor between two that belong together (see
``analysis.py``): white space, commas, brackets, quotation marks, most hyphens. Points and apostrophes are inside of it,
and do not count at its ends. Its words are the same as in the whole text: the reading of a chunk can be remembered.

All is done on the bytes of the texts in UTF-8, in arrays. But for the most frequent ones, signs beyond ASCII are taken
for letters, whatever they are: their chunk is then larger than it had to be, which the analysis minds not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.matching.arrays import Keys, Numbers, mixed

Bytes = NDArray[np.uint8]

GAP = "\0"
"""The chunk that ends each text."""

_LANE = 8  # bytes that are hashed at once
_SALTS = np.frombuffer(os.urandom(_LANE * 32), np.uint64)
"""One for each lane of a chunk; what has more (a data URL, a text without spaces) will not be met again."""

_APART, _WITHIN, _WORD = range(3)
_CLASSES = np.fromiter(
    (
        _WORD if byte >= 128 or chr(byte).isalnum() or chr(byte) == GAP else _WITHIN if chr(byte) in ".'`-" else _APART
        for byte in range(256)
    ),
    np.uint8,
    256,
)
_NUMBERS = np.array([byte >= 128 or chr(byte).isdigit() for byte in range(256)])
"""Which bytes after a hyphen may make one word of a letter and a number, as in G-7; before all others it sets apart."""
_SPACE = "\u00a0".encode()
_MARK = "“".encode()
_KINDS_OF_MARKS = np.full(256, _WORD, np.uint8)
"""The last bytes of the marks that begin as quotation marks do: those that set apart, and dashes, which are hyphens."""
_KINDS_OF_MARKS[[mark.encode()[-1] for mark in "“”„…"]] = _APART
_KINDS_OF_MARKS[[mark.encode()[-1] for mark in "\u2010\u2011\u2012–—"]] = _WITHIN
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(_LANE + 1)], np.uint64)


class Chunks:
    """The chunks of several texts, in order, each text with a ``GAP`` after it.

    ``keys`` are hashes of the chunks; those of the longest are random, so that they are met once only.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        parts = [text.encode("utf-8", "surrogatepass").replace(b"\0", b" ") for text in texts]
        # There is a space before all, and a lane of them after all, so that no end is a special case.
        self._bytes = b" " + b"".join([part + b" \0 " for part in parts]) + b" " * _LANE
        self._sizes = np.fromiter(map(len, parts), np.intp, len(parts)) + len(b" \0 ")
        self._texts = self._sizes.cumsum() - self._sizes + 1
        self._characters: dict[int, Numbers] = {}
        self._starts, self._ends, self.keys = _cut(self._bytes)

    def texts(self, numbers: Numbers) -> list[str]:
        """Some of the chunks, with the points and hyphens at their ends."""
        spans = zip(self._starts[numbers].tolist(), self._ends[numbers].tolist(), strict=True)
        return [self._decoded(start, end) for start, end in spans]

    def offset(self, text: int, number: int) -> int:
        """Where a chunk begins in the text that it is of."""
        if text not in self._characters:
            data = np.frombuffer(self._bytes, np.uint8)[self._texts[text] :]
            begins = (data[: self._sizes[text]] & 0b1100_0000) != 0b1000_0000  # the others go on with a character
            self._characters[text] = begins.cumsum() - begins
        return int(self._characters[text][self._starts[number] - self._texts[text]])

    def _decoded(self, start: int, end: int) -> str:
        return self._bytes[start:end].decode("utf-8", "surrogatepass")


def _cut(data: bytes) -> tuple[Numbers, Numbers, Keys]:
    """Where the chunks of ``data`` begin and end, and their hashes."""
    classes = _classes(np.frombuffer(data, np.uint8))
    inside = classes != _APART
    edges = (inside[1:] != inside[:-1]).nonzero()[0] + 1
    starts, ends = edges[::2], edges[1::2]
    first, last = _trimmed(classes, starts, ends)
    filled = first < last
    return starts[filled], ends[filled], _hashed(data, first[filled], last[filled])


def _classes(data: Bytes) -> Bytes:
    """What each byte is for the chunks: ``_APART``, ``_WITHIN`` or ``_WORD``."""
    classes = _CLASSES[data]
    hyphens = (data == ord("-")).nonzero()[0]
    classes[hyphens[~_NUMBERS[data[hyphens + 1]]]] = _APART
    spaces = (data == _SPACE[0]).nonzero()[0]
    spaces = spaces[data[spaces + 1] == _SPACE[1]]
    marks = (data == _MARK[0]).nonzero()[0]
    marks = marks[data[marks + 1] == _MARK[1]]
    kinds = _KINDS_OF_MARKS[data[marks + 2]]
    marks = marks[(kinds == _APART) | ((kinds == _WITHIN) & ~_NUMBERS[data[marks + 3]])]
    classes[np.concatenate((spaces, spaces + 1, marks, marks + 1, marks + 2))] = _APART
    return classes


def _trimmed(classes: Bytes, starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
    """The chunks without a sign before and two after them, which they are met with and without."""
    ends = ends - (classes[ends - 1] == _WITHIN)
    ends = ends - (classes[ends - 1] == _WITHIN)
    return starts + (classes[starts] == _WITHIN), ends


def _hashed(data: bytes, starts: Numbers, ends: Numbers) -> Keys:
    """The hashes of chunks: the sum of what each lane becomes with the salt of its place."""
    lanes: Keys = np.ndarray(len(data) - _LANE + 1, "<u8", data, strides=(1,))
    sizes = ends - starts
    counts = np.minimum((sizes + _LANE - 1) // _LANE, len(_SALTS))
    first = counts.cumsum() - counts
    number = np.arange(counts.sum()) - first.repeat(counts)
    left = np.minimum(sizes.repeat(counts) - number * _LANE, _LANE)
    read = lanes[starts.repeat(counts) + number * _LANE] & _FIRST_BYTES[left]
    keys = np.add.reduceat(mixed(read + _SALTS[number]), first)
    longest = (sizes > _LANE * len(_SALTS)).nonzero()[0]
    keys[longest] = np.frombuffer(os.urandom(_LANE * len(longest)), np.uint64)
    return keys
