"""Digests, and the ledger of who was sent what; ``outgoing`` keeps the state of each delivery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, cast, func, or_, update
from sqlmodel import Session, col, select

from monitor.errors import NotFound
from monitor.store.subscribers import Reader
from monitor.store.tables import (
    DigestItemRow,
    DigestRow,
    ItemRow,
    MatchRow,
    RevisionRow,
    SourceRow,
    SubscriberRow,
    TopicRow,
)
from monitor.store.upsert import insert_new, insert_values
from monitor.store.verdicts import passable
from monitor.texts import marked as _

GONE = _("this digest does not exist any more")


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """An item of an earlier digest that has changed since; times are aware UTC."""

    title: str
    url: str
    agency: str
    language: str
    at: datetime
    withdrawn: bool


class AddressedDigest(NamedTuple):
    """A stored digest, its window (aware UTC), and whose it is."""

    id: int
    window: tuple[datetime, datetime]
    reader: Reader


def changed_items(session: Session, start: datetime, end: datetime) -> Mapping[int, ChangedItem]:
    """The items whose title, text or date changed in a window, by id, the latest first."""
    at = func.max(RevisionRow.replaced_at)
    columns: Any = (
        ItemRow.id,
        ItemRow.title,
        ItemRow.url,
        SourceRow.agency,
        ItemRow.language,
        at.label("at"),
        ItemRow.withdrawn_at,
    )
    query: Any = (
        select(*columns)
        .join(RevisionRow, col(RevisionRow.item_id) == col(ItemRow.id))
        .join(SourceRow, col(SourceRow.id) == col(ItemRow.source_id))
        .where(RevisionRow.replaced_at >= start, RevisionRow.replaced_at < end)
        .group_by(col(ItemRow.id), col(SourceRow.agency))
        .order_by(at.desc())
    )
    return {
        row.id: ChangedItem(row.title, row.url, row.agency, row.language, row.at, row.withdrawn_at is not None)
        for row in session.exec(query)
    }


def told_items(
    session: Session, subscriber_ids: Sequence[int], item_ids: Iterable[int], before: datetime
) -> Mapping[int, set[int]]:
    """Those of some items that were worthy news of subscribers' digests whose windows ended by a time."""
    told: dict[int, set[int]] = defaultdict(set)
    wanted = set(item_ids)
    if not wanted:
        return told
    query: Any = (
        select(DigestRow.subscriber_id, MatchRow.item_id)
        .join(DigestItemRow, col(DigestItemRow.digest_id) == col(DigestRow.id))
        .join(MatchRow, col(MatchRow.id) == col(DigestItemRow.match_id))
        .where(col(DigestRow.subscriber_id).in_(subscriber_ids), DigestRow.window_end <= before)
        .where(col(MatchRow.item_id).in_(wanted), col(MatchRow.worthy))
    )
    for subscriber_id, item_id in session.exec(query):
        told[subscriber_id].add(item_id)
    return told


def insert_digests(
    session: Session, rows: Sequence[Mapping[str, Any]], ledger: Mapping[str, Sequence[int]]
) -> Mapping[str, int]:
    """Store digests with their ledgers; the ids of those that are new, by Message-ID.

    A subscriber who has a digest for the window already keeps it as it is.

    Args:
        session: An open writing transaction.
        rows: The digests.
        ledger: The matches that each holds, by Message-ID.
    """
    # Ids only grow, and whoever builds holds the rows of the subscribers: what came after this one is ours.
    last = session.exec(select(func.max(DigestRow.id))).one() or 0
    insert_new(session, DigestRow, rows)
    new = _digest_ids(session, [row["message_id"] for row in rows], after=last)
    entries = sorted((number, match_id) for name, number in new.items() for match_id in ledger.get(name, ()))
    insert_values(session, DigestItemRow, ("digest_id", "match_id"), entries)
    return new


def _digest_ids(session: Session, message_ids: Sequence[str], *, after: int) -> Mapping[str, int]:
    columns: Any = select(DigestRow.message_id, DigestRow.id).where(col(DigestRow.message_id).in_(message_ids))
    return dict(session.connection().execute(columns.where(col(DigestRow.id) > after)).all())


def advance_subscribers(session: Session, cursors: Sequence[tuple[int, datetime, datetime]]) -> None:
    """Move cursors: for each subscriber's id, the end of the window that became a digest, and when the next is due."""
    moved = update(SubscriberRow).where(col(SubscriberRow.id) == bindparam("number"))
    moved = moved.values(digested_until=bindparam("until"), next_digest_at=bindparam("due"))
    rows = [{"number": number, "until": until, "due": due} for number, until, due in cursors]
    session.connection().execute(moved, rows)


def load_digest(session: Session, digest_id: int) -> DigestRow:
    """The digest with this id.

    Raises:
        NotFound: There is none, or no longer.
    """
    row = session.get(DigestRow, digest_id)
    if row is None:
        raise NotFound(GONE)
    return row


def silent_topics(session: Session, since: datetime) -> frozenset[str]:
    """The topics that have had no news since a time; none where nobody watched as long ago."""
    oldest = session.exec(select(func.min(ItemRow.first_seen_at))).one()
    if oldest is None or oldest > since:
        return frozenset()
    newest = (
        select(ItemRow.first_seen_at)
        .join(MatchRow, col(MatchRow.item_id) == col(ItemRow.id))
        .where(MatchRow.topic_id == TopicRow.id, col(MatchRow.worthy), passable(hold=False))
        .order_by(col(MatchRow.id).desc())
        .limit(1)
        .correlate(TopicRow)
        .scalar_subquery()
    )
    return frozenset(session.exec(select(TopicRow.id).where(or_(newest.is_(None), newest < since))))


def ledgers_of(session: Session, digest_ids: Sequence[int]) -> Mapping[int, list[int]]:
    """The matches that digests hold, by digest."""
    # A row a digest, not a row a match: what SQLAlchemy does for a row takes longer than to read it.
    matches = func.aggregate_strings(cast(col(DigestItemRow.match_id), String), ",")
    ledger: Any = select(DigestItemRow.digest_id, matches).where(col(DigestItemRow.digest_id).in_(digest_ids))
    rows = session.connection().execute(ledger.group_by(col(DigestItemRow.digest_id)))
    return {digest_id: list(map(int, ids.split(","))) for digest_id, ids in rows}


def addressed_digests(session: Session, digest_ids: Sequence[int]) -> list[AddressedDigest]:
    """The digests with these ids that still exist, each with whom it is for."""
    columns: Any = (
        DigestRow.id,
        DigestRow.window_start,
        DigestRow.window_end,
        *(getattr(SubscriberRow, name) for name in Reader._fields),
    )
    query = select(*columns).join(SubscriberRow).where(col(DigestRow.id).in_(digest_ids))
    rows = session.connection().execute(query)
    return [AddressedDigest(number, (start, end), Reader(*reader)) for number, start, end, *reader in rows]


def digests_of(session: Session, subscriber_id: int, *, limit: int) -> list[DigestRow]:
    """The digests that went to a subscriber, newest first."""
    sent = select(DigestRow).where(DigestRow.subscriber_id == subscriber_id, col(DigestRow.sent_at).is_not(None))
    return list(session.exec(sent.order_by(col(DigestRow.id).desc()).limit(limit)))


def list_digests(
    session: Session, *, ids: Sequence[int] | None = None, state: str | None = None, limit: int = 50
) -> list[tuple[DigestRow, str]]:
    """The latest digests, or the named ones, or those in a state, with the address of each."""
    query = select(DigestRow, SubscriberRow.address).join(SubscriberRow)
    if ids is not None:
        query = query.where(col(DigestRow.id).in_(ids))
    if state is not None:
        query = query.where(DigestRow.state == state)
    return list(session.exec(query.order_by(col(DigestRow.id).desc()).limit(limit)))
