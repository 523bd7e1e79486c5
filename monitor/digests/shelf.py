"""What the digests of one run share: read from the database once, and kept for as long as the run lasts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from sqlmodel import Session

from monitor.store.matches import LoggedMatch, list_matches

T = TypeVar("T")


class Group(NamedTuple):
    """Matches of one topic, the newest first."""

    ids: tuple[int, ...]
    matches: Sequence[LoggedMatch]


class Shelf:
    """Keeps what was read. One run has one, in one thread; what changes meanwhile is in the digests of the next."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}
        self._matches: dict[int, LoggedMatch] = {}
        self._groups: dict[tuple[int, ...], Group] = {}

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """What is kept under a key, read now if it is not there yet."""
        if key not in self._kept:
            self._kept[key] = read()
        return cast("T", self._kept[key])

    def matches(self, session: Session, ids: Iterable[int]) -> dict[str, Group]:
        """The matches with these ids, by topic; those that no digest of the run has held yet are read.

        Digests that hold the same matches of a topic get the same group, so that it is known again without being read.
        """
        wanted, kept = sorted(ids, reverse=True), self._matches
        missing = [match_id for match_id in wanted if match_id not in kept]
        if missing:
            kept |= {match.id: match for match in list_matches(session, ids=missing, limit=len(missing))}
        by_topic: dict[str, list[int]] = defaultdict(list)
        for match_id in wanted:
            if match_id in kept:
                by_topic[kept[match_id].topic].append(match_id)
        return {topic: self._group(tuple(found)) for topic, found in by_topic.items()}

    def _group(self, ids: tuple[int, ...]) -> Group:
        if ids not in self._groups:
            self._groups[ids] = Group(ids, [self._matches[match_id] for match_id in ids])
        return self._groups[ids]
