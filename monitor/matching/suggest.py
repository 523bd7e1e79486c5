"""Words that set a topic's items apart, as suggestions for its watches.

A phrase of one to three words counts once an item, however often it stands there. How much more of the topic's items
hold it than of all others is weighed by Dunning's log-likelihood ratio (Computational Linguistics 19:1, 1993), which
stays sound for rare phrases, where a plain ratio of shares puts every misprint on top.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, chain
from math import log

from monitor.core.nouns import Document, Evidence, Topic
from monitor.core.text import tidy
from monitor.matching.analysis import analyse, tokens
from monitor.matching.tree import Words
from monitor.matching.watchlist import compile_watchlist

MOST_WORDS = 3

_LEAST_ITEMS = 3
"""A phrase must stand in so many items of the topic; two may be one release and its correction."""

_COMMON = 0.25
"""A word in so large a share of the other items is common ("the", "said"): no phrase begins or ends with it."""

_MOSTLY = 0.75
"""A phrase is left out for a longer one that stands in so large a share of its items."""

_SIGNIFICANT = 10.83
"""The log-likelihood ratio that pure chance exceeds once in a thousand phrases."""

_LIFT = 4
"""So many times more often than elsewhere a phrase must stand in the topic's items."""

_LOOKED_AT = 5
"""So many documents tell how a phrase is written."""

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A phrase that a watch could ask for.

    Attributes:
        query: The phrase as one would write it in a query.
        in_topic: How many of the topic's items hold it.
        elsewhere: How many others do.
        strength: The log-likelihood ratio.
        example: The title of an item of the topic that holds it.
    """

    query: str
    in_topic: int
    elsewhere: int
    strength: float
    example: str


def suggest(
    topic: Topic, relevant: Sequence[Document], others: Iterable[Document], *, most: int = 20
) -> list[Suggestion]:
    """Suggest phrases for a topic's watches, the most telling first.

    Args:
        topic: The topic with its watches; what they find already is not suggested.
        relevant: The items of the topic, in one language; of long ones the ``passages`` that are about it.
        others: The other items in that language.
        most: How many suggestions at most.
    """
    held_by = _holders(relevant)
    outside, total = _count(held_by, others)
    common = {phrase[0] for phrase, count in outside.items() if len(phrase) == 1 and count > _COMMON * total}
    strengths = {
        phrase: log_likelihood(len(holders), len(relevant), outside[phrase], total)
        for phrase, holders in held_by.items()
        if not {phrase[0], phrase[-1]} & common
    }
    telling = [
        phrase
        for phrase, strength in strengths.items()
        if strength >= _SIGNIFICANT and len(held_by[phrase]) * total >= _LIFT * outside[phrase] * len(relevant)
    ]
    whole = set(telling) - set(_fragments(telling, held_by))
    chosen: list[Suggestion] = []
    for phrase in _unsaid(topic, sorted(whole, key=lambda phrase: (-strengths[phrase], phrase)), held_by):
        written, holders = _written(phrase, held_by[phrase]), held_by[phrase]
        counts = len(holders), outside[phrase]
        chosen.append(Suggestion(Words(written).term, *counts, strengths[phrase], tidy(holders[0].title)))
        if len(chosen) == most:
            break
    return chosen


def passages(document: Document, evidence: Iterable[Evidence]) -> Document:
    """The document with only those paragraphs of its body that hold evidence, and their neighbours.

    A press briefing of an hour speaks of a topic for two minutes; the rest would suggest words of everything else.
    """
    places = [found.start for found in evidence if found.field == "body"]
    if not places:
        return document
    paragraphs = document.body.split("\n")
    starts = list(accumulate((len(paragraph) + 1 for paragraph in paragraphs), initial=0))
    kept: set[int] = set()
    for place in places:
        number = bisect_right(starts, place) - 1
        kept.update(range(max(0, number - 1), number + 2))
    body = "\n".join(paragraph for number, paragraph in enumerate(paragraphs) if number in kept)
    return replace(document, body=body)


def log_likelihood(inside: int, all_inside: int, outside: int, all_outside: int) -> float:
    """Dunning's ratio for a phrase in ``inside`` of so many items here and ``outside`` of so many there.

    It is negative where the phrase is rarer here than there.
    """
    share = (inside + outside) / (all_inside + all_outside)
    ratio = 2 * (
        _gain(inside, all_inside * share)
        + _gain(all_inside - inside, all_inside * (1 - share))
        + _gain(outside, all_outside * share)
        + _gain(all_outside - outside, all_outside * (1 - share))
    )
    return ratio if inside * all_outside >= outside * all_inside else -ratio


def _gain(observed: int, expected: float) -> float:
    return observed * log(observed / expected) if observed else 0.0


def _holders(documents: Iterable[Document]) -> dict[Phrase, list[Document]]:
    """The documents that hold each phrase; phrases that too few hold are left out."""
    holders: defaultdict[Phrase, list[Document]] = defaultdict(list)
    for document in documents:
        for phrase in _phrases(document):
            holders[phrase].append(document)
    return {phrase: held for phrase, held in holders.items() if len(held) >= _LEAST_ITEMS and _STOP not in phrase}


def _count(wanted: Iterable[Phrase], documents: Iterable[Document]) -> tuple[Counter[Phrase], int]:
    """In how many documents each wanted phrase stands, and how many documents there are."""
    counts, total = Counter[Phrase](), 0
    asked = set(wanted)
    for document in documents:
        counts.update(asked & _phrases(document))
        total += 1
    return counts, total


_STOP = "|"
"""Stands among the words wherever punctuation divides them: no phrase reaches over it."""

_PUNCTUATION = re.compile(r"""[,;:!?()\[\]"“”«»…|\n]+|\.(?=\s)""")


def _phrases(document: Document) -> set[Phrase]:
    text = _PUNCTUATION.sub(f" {_STOP} ", "\n".join((document.title, document.summary, document.body)))
    words = list(chain.from_iterable(map(_words, text.split())))
    sizes = range(1, MOST_WORDS + 1)
    return set(chain.from_iterable(zip(*(words[start:] for start in range(size)), strict=False) for size in sizes))


@lru_cache(maxsize=1 << 17)
def _words(chunk: str) -> Phrase:
    return (_STOP,) if chunk == _STOP else tuple(token.word for token in analyse(chunk))


def _fragments(phrases: Iterable[Phrase], held_by: Mapping[Phrase, Sequence[Document]]) -> Iterator[Phrase]:
    """Yield the parts of phrases that hardly ever stand without the rest."""
    for phrase in phrases:
        for part in _parts(phrase):
            if len(held_by[phrase]) >= _MOSTLY * len(held_by[part]):
                yield part


def _parts(phrase: Phrase) -> Iterator[Phrase]:
    for size in range(1, len(phrase)):
        for start in range(len(phrase) - size + 1):
            yield phrase[start : start + size]


def _unsaid(topic: Topic, phrases: Iterable[Phrase], held_by: Mapping[Phrase, Sequence[Document]]) -> Iterator[Phrase]:
    """Yield the phrases that neither a watch of the topic nor a phrase before them finds."""
    watchlist = compile_watchlist(topic.watches)
    taken: set[Phrase] = set()
    for phrase in phrases:
        language = held_by[phrase][0].language
        said = watchlist.match(Document(title=_written(phrase, held_by[phrase]), language=language))
        if not said and taken.isdisjoint(_parts(phrase)):
            taken.add(phrase)
            yield phrase


def _written(phrase: Phrase, holders: Sequence[Document]) -> str:
    """A phrase as the first documents that hold it write it most often."""
    written = Counter(chain.from_iterable(_places(phrase, document) for document in holders[:_LOOKED_AT]))
    return max(written, key=written.__getitem__)


def _places(phrase: Phrase, document: Document) -> Iterator[str]:
    for segment in _PUNCTUATION.split("\n".join((document.title, document.summary, document.body))):
        found = list(tokens(segment))
        for number in range(len(found)):
            if tuple(token.word for token in found[number : number + len(phrase)]) == phrase:
                yield tidy(segment[found[number].start : found[number + len(phrase) - 1].end])
