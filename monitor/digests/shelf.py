"""What the digests of one run share: read from the database once, and kept for as long as the run lasts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar, cast

from sqlmodel import Session

from monitor.store.matches import LoggedMatch, list_matches

T = TypeVar("T")


class Shelf:
    """Keeps what was read. One run has one, in one thread; what changes meanwhile is in the digests of the next."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}
        self._matches: dict[int, LoggedMatch] = {}

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """What is kept under a key, read now if it is not there yet."""
        if key not in self._kept:
            self._kept[key] = read()
        return cast("T", self._kept[key])

    def matches(self, session: Session, ids: Iterable[int]) -> list[LoggedMatch]:
        """The matches with these ids, the newest first; those that no digest of the run has held yet are read."""
        wanted = sorted(ids, reverse=True)
        missing = [match_id for match_id in wanted if match_id not in self._matches]
        if missing:
            self._matches |= {match.id: match for match in list_matches(session, ids=missing, limit=len(missing))}
        return [self._matches[match_id] for match_id in wanted if match_id in self._matches]
