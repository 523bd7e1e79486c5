"""Texts cut into chunks that can be analysed one by one, many texts at once.

A chunk is what stands between signs that are never part of a word, nor between two that belong together (see
``analysis.py``): white space, commas, brackets … Points, apostrophes and hyphens are inside of it, and do not count at
its ends. Its words are the same as in the whole text, and so the reading of a chunk can be remembered.

All is done on the bytes of the texts in UTF-8, in arrays; the bytes of letters beyond ASCII are taken for letters,
whatever they are: their chunk is then larger than it had to be, which the analysis minds not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.matching.arrays import Keys, Numbers, mixed

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
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(_LANE + 1)], np.uint64)


class Chunks:
    """The chunks of several texts, in order, each text with a ``GAP`` after it.

    ``keys`` are hashes of the chunks; those of the longest are random, so that they are met once only.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        parts = [text.encode("utf-8", "surrogatepass").replace(b"\0", b" ") for text in texts]
        # There is a space before all, and a lane of them after all, so that no end is a special case.
        self._bytes = b" " + b"".join([part + b" \0 " for part in parts]) + b" " * _LANE
        sizes = np.fromiter(map(len, parts), np.intp, len(parts)) + len(b" \0 ")
        self._texts = sizes.cumsum() - sizes + 1
        self._starts, self._ends, self.keys = _cut(self._bytes)

    def text(self, number: int) -> str:
        """A chunk, with the points and hyphens at its ends."""
        return self._decoded(self._starts[number], self._ends[number])

    def offset(self, text: int, number: int) -> int:
        """Where a chunk begins in the text that it is of."""
        return len(self._decoded(self._texts[text], self._starts[number]))

    def _decoded(self, start: int, end: int) -> str:
        return self._bytes[start:end].decode("utf-8", "surrogatepass")


def _cut(data: bytes) -> tuple[Numbers, Numbers, Keys]:
    """Where the chunks of ``data`` begin and end, and their hashes."""
    classes = _CLASSES[np.frombuffer(data, np.uint8)]
    inside = classes != _APART
    edges = (inside[1:] != inside[:-1]).nonzero()[0] + 1
    starts, ends = edges[::2], edges[1::2]
    first, last = _trimmed(classes, starts, ends)
    filled = first < last
    return starts[filled], ends[filled], _hashed(data, first[filled], last[filled])


def _trimmed(classes: NDArray[np.uint8], starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
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
