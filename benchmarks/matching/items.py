"""The items that the benchmark matches: real releases cut to about 320 words, or generated text without them."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from monitor.core.languages import Language
from monitor.core.nouns import Document

WORDS_PER_ITEM = 320
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")  # the service stores plain text; the archive is Markdown
_SIGNS = re.compile(r"[#*_>|]+")


def load_items(releases: Path, count: int, seed: int = 1) -> list[Document]:
    """Return ``count`` items in a random order that is always the same."""
    texts = _released(releases) if releases.is_file() else _generated(count, seed)
    items = [item for title, text in texts for item in _cut(title, text)]
    random.Random(seed).shuffle(items)
    return items[:count]


def _released(releases: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(releases, "rt", encoding="utf-8") as lines:
        for line in lines:
            release = json.loads(line)
            yield release["title"], _SIGNS.sub(" ", _LINK.sub(r"\1", release["markdown"]))


def _generated(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Text whose words are as unevenly frequent as those of a language are (Zipf)."""
    draw = random.Random(seed)
    syllables = [first + vowel for first in "bcdfglmnprstv" for vowel in "aeiou"]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(30_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    for _ in range(count):
        text = draw.choices(words, weights, k=WORDS_PER_ITEM)
        yield " ".join(text[:8]).capitalize(), " ".join(text) + "."


def _cut(title: str, text: str) -> Iterator[Document]:
    words = text.split(" ")
    for start in range(0, max(len(words) - WORDS_PER_ITEM // 2, 1), WORDS_PER_ITEM):
        body = " ".join(words[start : start + WORDS_PER_ITEM])
        yield Document(title if start == 0 else "", body=body, language=Language.EN)
