"""Which items tell the same news: language twins, cross-posts, joint statements and near-identical texts.

Pure. A title alone never joins two items: 516 titles of White House releases are each of several.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit

from rapidfuzz import fuzz, process

from monitor.core.languages import Language
from monitor.core.text import fold
from monitor.polling.keys import canonical_url

_Thing = TypeVar("_Thing")

COMPARED = 4_000
"""Characters of a text that are looked at."""

_WINDOW = timedelta(days=3)
_SIMILAR_TITLES, _SIMILAR_TEXTS = 70, 88  # of 100
_TITLES = 50  # titles whose texts are compared with one
_SHORTEST = 200  # characters of a text that can tell anything
_SAME_NAMES, _SAME_NAMES_ELSEWHERE = 0.97, 0.9
_NAME = re.compile(r"\b(?:[A-ZÀ-Ý][\w’'-]+|\d[\d.,:]*)")
_PAIRED_PATH = re.compile(
    r"/(?P<language>en|fr)/(?:(?P<agency>[^/]+)/)?(?:news|nouvelles)/(?:[^/]+/)?"
    r"(?P<month>\d{4}/\d{2})/(?:\d{2}/)?(?P<slug>[^/]+?)(?:\.html)?$"
)
_CANADIAN = re.compile(r"(?:^|\.)(?:canada|gc)\.ca$")


@dataclass(frozen=True, slots=True)
class Telling:
    """An item as stories compare it.

    ``at`` is when it was published, or first seen where the source gives no date; aware. ``canonical_url`` is the
    address that its page gives as its own, ``twins`` the addresses of its other languages; both may be empty.
    ``story_id`` is the story that it is in already.
    """

    item_id: int
    url: str
    title: str
    text: str
    language: Language | None
    at: datetime
    canonical_url: str = ""
    twins: frozenset[str] = frozenset()
    story_id: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Two or more items that tell the same news, in the order of their publication: the first publisher leads."""

    item_ids: tuple[int, ...]

    @property
    def first(self) -> int:
        """The item that was published first."""
        return self.item_ids[0]


def find_stories(tellings: Sequence[Telling], fresh: Collection[int] | None = None) -> tuple[Story, ...]:
    """Group the items that tell the same news; items that stand alone are in no group.

    Two items are joined when they have the same canonical address; when one names the other as its twin in
    another language; when their addresses are a Canadian pair (``/en/…/news/2024/05/…`` and
    ``/fr/…/nouvelles/2024/05/…``) published in the same second, and each is the other's most similar; or when, in
    one language and within three days, both their titles and their texts are nearly the same. Those that are in one
    story already stay together.

    Args:
        tellings: Items of a few days.
        fresh: The ids of those whose texts are compared with all; the others have been compared with one another
            before. All, where none are named.
    """
    groups = _Groups()
    for rule in (_same_story, _same_address, _named_twins, _paired_paths):
        for one, other in rule(tellings):
            groups.join(one, other)
    for one, other in _near_identical(tellings, fresh, groups.are_one):
        groups.join(one, other)
    stories = (Story(tuple(item.item_id for item in sorted(group, key=_order))) for group in groups.all())
    return tuple(sorted(stories, key=lambda story: story.item_ids))


def _order(item: Telling) -> tuple[datetime, int]:
    return item.at, item.item_id


def _own_address(item: Telling) -> str:
    return canonical_url(item.canonical_url or item.url)


def _same_story(tellings: Sequence[Telling]) -> Iterator[tuple[Telling, Telling]]:
    for story, group in _grouped(tellings, lambda item: item.story_id).items():
        if story is not None:
            yield from ((group[0], other) for other in group[1:])


def _same_address(tellings: Sequence[Telling]) -> Iterator[tuple[Telling, Telling]]:
    for group in _grouped(tellings, _own_address).values():
        yield from ((group[0], other) for other in group[1:])


def _named_twins(tellings: Sequence[Telling]) -> Iterator[tuple[Telling, Telling]]:
    by_address = _grouped(tellings, _own_address)
    for item in tellings:
        for twin in item.twins:
            yield from ((item, other) for other in by_address.get(canonical_url(twin), ()) if other is not item)


def _paired_paths(tellings: Sequence[Telling]) -> Iterator[tuple[Telling, Telling]]:
    """Canadian departments publish both languages in the same second, but translate every part of the address.

    Where several share a second, the most similar addresses are a pair. Of 970 real pairs this finds 969, and no
    wrong one.
    """
    placed = [(item, place) for item in tellings if (place := _place(item.url))]
    moments = _grouped(placed, lambda pair: (pair[1]["month"], pair[0].at.replace(microsecond=0)))
    for group in moments.values():
        english = [pair for pair in group if pair[1]["language"] == "en"]
        french = [pair for pair in group if pair[1]["language"] == "fr"]
        for one in english:
            other = max(french, key=lambda pair: _alike(one[1], pair[1]), default=None)
            if other and one is max(english, key=lambda pair: _alike(pair[1], other[1])):
                yield one[0], other[0]


def _place(url: str) -> re.Match[str] | None:
    parts = urlsplit(url)
    return _PAIRED_PATH.search(parts.path) if _CANADIAN.search(parts.hostname or "") else None


def _alike(one: re.Match[str], other: re.Match[str]) -> float:
    return fuzz.ratio(one["slug"], other["slug"]) + fuzz.token_sort_ratio(one["agency"] or "", other["agency"] or "")


def _near_identical(
    tellings: Sequence[Telling], fresh: Collection[int] | None, are_one: Callable[[Telling, Telling], bool]
) -> Iterator[tuple[Telling, Telling]]:
    """Pairs with nearly the same title and text, but for those that are one already.

    Texts are compared of the most similar titles only, so that two thousand items written after one template, or two
    thousand copies of one text, cost as much each as a hundred would.
    """
    telling = [item for item in tellings if len(item.text) >= _SHORTEST]
    chosen = {item.item_id for item in telling} if fresh is None else set(fresh)
    for group in _grouped(telling, lambda item: item.language).values():
        group.sort(key=_order)
        titles = [fold(item.title) for item in group]
        wording = cache(lambda number, group=group: _Wording.of(group[number].text))
        for number, item in enumerate(group):
            if item.item_id not in chosen:
                continue
            for place in _similar_titles(number, group, titles, chosen):
                other = group[place]
                if not are_one(item, other) and _same_text(item, other, wording(number), wording(place)):
                    yield item, other


def _similar_titles(number: int, group: Sequence[Telling], titles: Sequence[str], chosen: set[int]) -> Iterator[int]:
    """Where in the group, which is sorted by time, the titles are that are most similar to one of the chosen."""
    at = group[number].at
    first = bisect_left(group, at - _WINDOW, key=lambda item: item.at)
    last = bisect_right(group, at + _WINDOW, key=lambda item: item.at)
    # Of two that are chosen, the earlier one asks; of titles that are equally similar, the nearest in time come first.
    asked = [n for n in range(first, last) if n > number or group[n].item_id not in chosen]
    asked.sort(key=lambda n: abs(n - number))
    similar = process.extract(
        titles[number],
        [titles[n] for n in asked],
        scorer=fuzz.token_sort_ratio,
        score_cutoff=_SIMILAR_TITLES,
        limit=_TITLES,
    )
    return (asked[place] for _, _, place in similar)


@dataclass(frozen=True, slots=True)
class _Wording:
    """The beginning of a text, folded, and the names and numbers in it, with the places where they end."""

    length: int
    folded: str
    names: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, text: str) -> _Wording:
        text = text[:COMPARED]
        names = tuple((found.end(), found[0].rstrip(".,:")) for found in _NAME.finditer(text))
        return cls(len(text), fold(text), names)

    def names_until(self, length: int) -> set[str]:
        return {name for end, name in self.names if end <= length}


def _same_text(one: Telling, other: Telling, first: _Wording, second: _Wording) -> bool:
    """Whether the texts are nearly the same and speak of the same names and numbers.

    Of 125 pairs of White House releases whose titles and texts are nearly the same, 65 are one template filled in
    for two states, pipelines or memoranda. Names and numbers tell all of them apart; of the 60 left, one is wrong.
    Other publishers put names of their own around a joint statement, and are given more room.
    """
    length = min(first.length, second.length)
    named, also_named = first.names_until(length), second.names_until(length)
    shared = len(named & also_named) / max(1, min(len(named), len(also_named)))
    same_site = urlsplit(one.url).hostname == urlsplit(other.url).hostname
    if shared < (_SAME_NAMES if same_site else _SAME_NAMES_ELSEWHERE):
        return False
    cut = min(len(first.folded), len(second.folded))
    return fuzz.ratio(first.folded[:cut], second.folded[:cut], score_cutoff=_SIMILAR_TEXTS) >= _SIMILAR_TEXTS


class _Groups:
    """Items that have been joined (union by relabelling the smaller group)."""

    def __init__(self) -> None:
        self._group_of: dict[int, list[Telling]] = {}

    def are_one(self, one: Telling, other: Telling) -> bool:
        """Whether two items have been joined, by whatever way."""
        group = self._group_of.get(one.item_id)
        return group is not None and group is self._group_of.get(other.item_id)

    def join(self, one: Telling, other: Telling) -> None:
        """Join the groups of two items."""
        first = self._group_of.setdefault(one.item_id, [one])
        second = self._group_of.setdefault(other.item_id, [other])
        if first is not second:
            large, small = sorted((first, second), key=len, reverse=True)
            large.extend(small)
            self._group_of.update((item.item_id, large) for item in small)

    def all(self) -> list[list[Telling]]:
        """The groups."""
        return list({id(group): group for group in self._group_of.values()}.values())


def _grouped(things: Iterable[_Thing], feature: Callable[[_Thing], Hashable]) -> dict[Hashable, list[_Thing]]:
    groups: dict[Hashable, list[_Thing]] = defaultdict(list)
    for thing in things:
        groups[feature(thing)].append(thing)
    return groups
