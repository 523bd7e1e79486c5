"""Two texts side by side, word by word, for a page that shows what an edit changes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

Kind = Literal["same", "gone", "new"]


def word_diff(before: str, after: str) -> tuple[tuple[Kind, str], ...]:
    """The pieces of which ``before`` and ``after`` are made, in order, and which of the two each is of."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    return tuple(_pieces(old, new))


def _pieces(old: list[str], new: list[str]) -> Iterator[tuple[Kind, str]]:
    for tag, i, j, k, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", "".join(old[i:j])
            continue
        if i < j:
            yield "gone", "".join(old[i:j])
        if k < end:
            yield "new", "".join(new[k:end])
