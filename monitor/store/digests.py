"""Digests, and the ledger of who was sent what; ``outgoing`` keeps the state of each delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.errors import NotFound
from monitor.store.tables import (
    DigestItemRow,
    DigestRow,
    ItemRow,
    MatchRow,
    RevisionRow,
    SourceRow,
    SubscriberRow,
    SubscriptionRow,
    VerdictRow,
)
from monitor.store.upsert import insert_new
from monitor.store.verdicts import latest_verdict, passable

LATE_ARRIVALS = timedelta(days=1)
"""How far before its window a digest looks for matches that no earlier digest of the subscriber holds.

An item is stamped with the time at which its poll began, and is visible when the poll commits: one that straddles
the end of a window is missed by that window's digest and must be found by the next.
"""


def select_match_ids(
    session: Session, subscriber_id: int, window_start: datetime, window_end: datetime, *, hold: bool = False
) -> list[int]:
    """The matches that a subscriber's digest for a window holds: theirs by topic, and not sent to them before.

    A match that a reviewer called noise is in no digest.

    Args:
        session: An open transaction.
        subscriber_id: Whose digest.
        window_start: Where the window starts, aware.
        window_end: Where it ends, aware.
        hold: Only what a reviewer has passed. It comes with the digest of the window in which it was passed, so that
            nothing is lost that is reviewed late.
    """
    told, teller = aliased(MatchRow), aliased(ItemRow)
    sent: Any = (
        select(DigestItemRow.match_id)
        .join(DigestRow, col(DigestRow.id) == col(DigestItemRow.digest_id))
        .join(told, col(told.id) == col(DigestItemRow.match_id))
        .join(teller, col(teller.id) == col(told.item_id))
        .where(DigestRow.subscriber_id == subscriber_id)
        # The match itself, or the same news under the same topic from elsewhere: a twin that came a week later.
        .where(
            or_(
                col(told.id) == col(MatchRow.id),
                and_(col(teller.story_id) == col(ItemRow.story_id), col(told.topic_id) == col(MatchRow.topic_id)),
            )
        )
        .exists()
    )
    came = latest_verdict(VerdictRow.at) if hold else col(ItemRow.first_seen_at)
    query = (
        select(MatchRow.id)
        .join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
        .join(SubscriptionRow, col(SubscriptionRow.topic_id) == col(MatchRow.topic_id))
        .where(SubscriptionRow.subscriber_id == subscriber_id)
        .where(came >= window_start - LATE_ARRIVALS, came < window_end)
        .where(passable(hold=hold))
        .where(~sent)
        .order_by(col(ItemRow.first_seen_at).desc(), col(MatchRow.id))
    )
    return [row for row in session.exec(query) if row is not None]


def passed_items(session: Session, item_ids: Sequence[int]) -> set[int]:
    """Those of the items of which a reviewer has passed a match."""
    query = select(MatchRow.item_id).where(col(MatchRow.item_id).in_(item_ids))
    return set(session.exec(query.where(passable(hold=True))))


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """An item of an earlier digest that has changed since; times are aware UTC."""

    title: str
    url: str
    agency: str
    language: str
    at: datetime
    withdrawn: bool


def changed_since_sent(
    session: Session, subscriber_id: int, window_start: datetime, window_end: datetime
) -> list[ChangedItem]:
    """The worthy items of a subscriber's earlier digests whose title, text or date changed in a window."""
    sent: Any = (
        select(ItemRow.id)
        .join(MatchRow, col(MatchRow.item_id) == col(ItemRow.id))
        .join(DigestItemRow, col(DigestItemRow.match_id) == col(MatchRow.id))
        .join(DigestRow, col(DigestRow.id) == col(DigestItemRow.digest_id))
        .where(DigestRow.subscriber_id == subscriber_id, DigestRow.window_end <= window_start, col(MatchRow.worthy))
    )
    at = func.max(RevisionRow.replaced_at)
    columns: Any = (
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
        .where(RevisionRow.replaced_at >= window_start, RevisionRow.replaced_at < window_end)
        .where(col(ItemRow.id).in_(sent))
        .group_by(col(ItemRow.id), col(SourceRow.agency))
        .order_by(at.desc())
    )
    return [
        ChangedItem(row.title, row.url, row.agency, row.language, row.at, row.withdrawn_at is not None)
        for row in session.exec(query)
    ]


def any_worthy(session: Session, match_ids: Sequence[int]) -> bool:
    """Whether at least one of the matches is worth a digest."""
    worthy = select(MatchRow.id).where(col(MatchRow.id).in_(match_ids), col(MatchRow.worthy)).limit(1)
    return session.exec(worthy).first() is not None


def insert_digest(session: Session, digest: dict[str, Any], match_ids: Sequence[int]) -> int | None:
    """Store a digest with its ledger; its id, or None when the subscriber has one for this window already."""
    if not insert_new(session, DigestRow, [digest]):
        return None
    key = (DigestRow.subscriber_id == digest["subscriber_id"], DigestRow.window_end == digest["window_end"])
    digest_id = session.exec(select(DigestRow.id).where(*key)).one()
    insert_new(session, DigestItemRow, [{"digest_id": digest_id, "match_id": match_id} for match_id in match_ids])
    return digest_id


def advance_subscriber(session: Session, subscriber_id: int, *, digested_until: datetime, next_at: datetime) -> None:
    """Move a subscriber's cursor to the end of the window that became a digest."""
    moved = update(SubscriberRow).where(col(SubscriberRow.id) == subscriber_id)
    session.connection().execute(moved.values(digested_until=digested_until, next_digest_at=next_at))


def load_digest(session: Session, digest_id: int) -> DigestRow:
    """The digest with this id.

    Raises:
        NotFound: There is none, or no longer.
    """
    row = session.get(DigestRow, digest_id)
    if row is None:
        raise NotFound("this digest does not exist any more")
    return row


def silent_topics(session: Session, subscriber_id: int, since: datetime) -> set[str]:
    """The topics of a subscriber that have had no news since a time; none where nobody watched as long ago."""
    oldest = session.exec(select(func.min(ItemRow.first_seen_at))).one()
    if oldest is None or oldest > since:
        return set()
    newest = (
        select(ItemRow.first_seen_at)
        .join(MatchRow, col(MatchRow.item_id) == col(ItemRow.id))
        .where(MatchRow.topic_id == SubscriptionRow.topic_id, col(MatchRow.worthy), passable(hold=False))
        .order_by(col(MatchRow.id).desc())
        .limit(1)
        .correlate(SubscriptionRow)
        .scalar_subquery()
    )
    query: Any = select(SubscriptionRow.topic_id).where(SubscriptionRow.subscriber_id == subscriber_id)
    return set(session.exec(query.where(or_(newest.is_(None), newest < since))))


def ledger_of(session: Session, digest_id: int) -> list[int]:
    """The matches that a digest holds."""
    return list(session.exec(select(DigestItemRow.match_id).where(DigestItemRow.digest_id == digest_id)))


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
