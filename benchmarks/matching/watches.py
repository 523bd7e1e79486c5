"""The watches that the benchmark compiles: five kinds in equal parts, out of the words of real items."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Literal, get_args

from monitor.core.languages import Language
from monitor.core.nouns import Document, Watch

Kind = Literal["phrase", "and", "or", "not", "near"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NEAR = 5
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A watch in a form that each engine writes in its own syntax; every part is one word or several in a row."""

    kind: Kind
    parts: tuple[str, ...]

    def query(self) -> str:
        """The query in the language of the service."""
        quoted = [f'"{part}"' for part in self.parts]
        match self.kind:
            case "near":
                return f'"{" ".join(self.parts)}"~{NEAR}'
            case "not":
                return f"{quoted[0]} AND {quoted[1]} AND NOT {quoted[2]}"
            case "or":
                return " OR ".join(quoted)
            case _:
                return " AND ".join(quoted)


def make_asked(items: Sequence[Document], count: int, seed: int = 2) -> list[Asked]:
    """Make ``count`` watches. The words of each stand in one item (but for NOT), so that none is impossible.

    They hold words that a person would watch for: four letters or more, in at least 3 items and at most 1 %.
    """
    texts = [_WORD.findall(item.body.lower()) for item in items]
    spread = Counter(chain.from_iterable(map(set, texts)))
    telling = {word for word, uses in spread.items() if len(word) >= 4 and 3 <= uses <= len(items) // 100}
    draw = random.Random(seed)
    others = sorted(telling)
    asked: list[Asked] = []
    while len(asked) < count:
        one = _ask(KINDS[len(asked) % len(KINDS)], draw.choice(texts), telling, others, draw)
        if one:
            asked.append(one)
    return asked


def _ask(
    kind: Kind, text: Sequence[str], telling: AbstractSet[str], others: Sequence[str], draw: random.Random
) -> Asked | None:
    """A watch out of the words of a text, or None where it does not hold what the kind needs."""
    places = [place for place, word in enumerate(text) if word in telling]
    words = list(dict.fromkeys(text[place] for place in places))
    if len(words) < 3:
        return None
    if kind == "and":
        return Asked(kind, tuple(draw.sample(words, draw.randint(2, 3))))
    if kind == "not":
        return Asked(kind, (*draw.sample(words, 2), draw.choice(others)))
    if kind == "near":
        pairs = [(text[a], text[b]) for a, b in pairwise(places) if b - a <= NEAR and text[a] != text[b]]
        return Asked(kind, draw.choice(pairs)) if pairs else None
    phrases = [phrase for place in draw.sample(places, 3) if (phrase := _phrase(text, place, draw))]
    wanted = 2 if kind == "or" else 1
    return Asked(kind, tuple(phrases[:wanted])) if len(phrases) >= wanted else None


def _phrase(text: Sequence[str], place: int, draw: random.Random) -> str:
    """Two or three words around a place, or nothing where they begin or end with a short word, as no name does."""
    start = max(0, place - draw.randint(0, 1))
    words = text[start : start + draw.randint(2, 3)]
    return " ".join(words) if len(words) > 1 and min(len(words[0]), len(words[-1])) >= 4 else ""


def watches(asked: Sequence[Asked], language: Language) -> list[Watch]:
    """The watches in the language of the service."""
    return [Watch("topic", f"watch-{number}", language, one.query()) for number, one in enumerate(asked)]
