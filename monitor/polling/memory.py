"""What the store knows of a source's items, looked up when it is asked for and once only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from monitor.polling.decide import Known
from monitor.store.items import KnownItem, find_known

_RECENT_FACTOR = 2
"""The storm guard compares with the last items stored, this many times the entries of the visit."""


class Memory:
    """The items of one source that a visit may meet again."""

    def __init__(self, session: Session, source_id: int) -> None:
        self._session, self._source_id = session, source_id
        self._known: dict[str, Known] = {}
        self._latest = 0

    def recall(self, count: int) -> Mapping[str, str]:
        """The keys of the items stored last, by how they are written, for a feed of so many entries."""
        self._look_up(latest=_RECENT_FACTOR * count)
        return {item.fingerprint: item.key for item in self._known.values() if item.fingerprint}

    def known_of(self, keys: Sequence[str]) -> Mapping[str, Known]:
        """By key, the items stored last and those of these keys."""
        if not self._latest:
            self._look_up(latest=_RECENT_FACTOR * len(keys))
        if len(self._known) >= self._latest:  # there may be older ones
            self._look_up([key for key in keys if key not in self._known])
        return self._known

    def _look_up(self, keys: Sequence[str] = (), *, latest: int = 0) -> None:
        self._latest = max(self._latest, latest)
        if keys or latest:
            found = find_known(self._session, self._source_id, keys=keys, latest=latest)
            self._known.update((item.key, _known(item)) for item in found)


def _known(item: KnownItem) -> Known:
    return Known(
        key=item.key,
        url=item.url,
        content_hash=item.content_hash,
        revision=item.revision,
        item_id=item.id,
        fingerprint=item.fingerprint,
        published_at=item.published_at,
        missed=item.missed_at is not None,
    )
