"""What the rows say of digests, read for many of them at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from monitor.core.nouns import Pillar, Topic
from monitor.digests.shelf import Group, Shelf
from monitor.store import digests, personal, watchlist
from monitor.store.digests import AddressedDigest, ChangedItem
from monitor.store.personal import FoundItem, PersonalHit
from monitor.store.source_health import SourceCoverage, coverage_since
from monitor.store.subscribers import topics_of_all

SILENCE = timedelta(days=90)
"""A topic without news for as long is named: it may be quiet, or its watches may miss what is said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A digest whose facts are asked for: whose it is, its window, and what it holds."""

    subscriber_id: int
    window: tuple[datetime, datetime]
    match_ids: Sequence[int]
    own: Sequence[PersonalHit]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a digest tells of, before it is put into its reader's language.

    ``matches`` are by topic; ``changed`` are items of the reader's earlier digests; ``silent`` the ids of their topics
    that had no news for long.
    """

    window: tuple[datetime, datetime]
    topics: Sequence[Topic]
    pillars: Sequence[Pillar]
    coverage: SourceCoverage
    matches: Mapping[str, Group]
    own: Sequence[FoundItem]
    changed: Sequence[ChangedItem]
    silent: frozenset[str]


def facts_of_digests(session: Session, stored: Sequence[AddressedDigest], shelf: Shelf) -> dict[int, Facts]:
    """The facts of stored digests, by digest."""
    ids = [digest.id for digest in stored]
    ledgers, hits = digests.ledgers_of(session, ids), personal.hits_of(session, ids)
    asked = {
        digest.id: Asked(digest.reader.id, digest.window, ledgers.get(digest.id, ()), hits.get(digest.id, ()))
        for digest in stored
    }
    return facts_of(session, asked, shelf)


def facts_of(session: Session, asked: Mapping[int, Asked], shelf: Shelf) -> dict[int, Facts]:
    """The facts of digests, each under the number under which it is asked for."""
    changed, silent = _changed(session, asked, shelf), _silent(session, asked, shelf)
    topics = shelf.once("topics", lambda: watchlist.load_topics(session))
    pillars = shelf.once("pillars", lambda: watchlist.load_pillars(session))
    return {
        number: Facts(
            one.window,
            topics,
            pillars,
            coverage=shelf.once(("coverage", one.window), partial(coverage_since, session, *one.window)),
            matches=shelf.matches(session, one.match_ids),
            own=personal.load_found(session, one.own),
            changed=changed[number],
            silent=silent.get(number, frozenset()),
        )
        for number, one in asked.items()
    }


def _silent(session: Session, asked: Mapping[int, Asked], shelf: Shelf) -> Mapping[int, frozenset[str]]:
    """Those of each reader's topics that had no news for long, by digest; nothing is read where there are none."""
    ends = {one.window[1] for one in asked.values()}
    silent = {end: shelf.once(("silent", end), partial(digests.silent_topics, session, end - SILENCE)) for end in ends}
    if not any(silent.values()):
        return {}
    chosen = topics_of_all(session, [one.subscriber_id for one in asked.values()])
    return {number: silent[one.window[1]].intersection(chosen[one.subscriber_id]) for number, one in asked.items()}


def _changed(session: Session, asked: Mapping[int, Asked], shelf: Shelf) -> Mapping[int, Sequence[ChangedItem]]:
    """What became of the news of each reader's earlier digests, by digest."""
    found: dict[int, Sequence[ChangedItem]] = {}
    for window in {one.window for one in asked.values()}:
        items = shelf.once(("changed", window), partial(digests.changed_items, session, *window))
        readers = {number: one.subscriber_id for number, one in asked.items() if one.window == window}
        told = digests.told_items(session, list(readers.values()), items, before=window[0])
        for number, reader in readers.items():
            found[number] = [item for item_id, item in items.items() if item_id in told.get(reader, ())]
    return found
