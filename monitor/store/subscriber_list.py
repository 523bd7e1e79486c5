"""The subscribers as an operator looks for them, and all that belongs to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.core.paging import Page, page_of, read_cursor
from monitor.store.contains import contains
from monitor.store.tables import BounceRow, DigestItemRow, DigestRow, LetterRow, SubscriberRow, SubscriptionRow

STATES = ("active", "unsubscribed", "suppressed")


@dataclass(frozen=True, slots=True)
class ListedSubscriber:
    """A line of the list of subscribers; times are aware UTC."""

    id: int
    address: str
    state: str
    language: str
    frequency: str
    topics: int
    created_at: datetime
    next_digest_at: datetime
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class StoredBounce:
    """A mail of a subscriber that came back."""

    at: datetime
    kind: str
    reference: str
    detail: str


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail to a subscriber; ``kind`` is ``digest`` or what the letter is, ``items`` is None for a letter."""

    table: str
    id: int
    kind: str
    subject: str
    state: str
    attempts: int
    built_at: datetime
    sent_at: datetime | None
    last_error: str
    items: int | None


def search_subscribers(
    session: Session, *, text: str = "", state: str = "", after: str = "", limit: int = 50
) -> Page[ListedSubscriber]:
    """Subscribers by address.

    Args:
        session: An open transaction.
        text: What the address must hold; nothing for all.
        state: Only those in a state.
        after: The cursor of a page, from the page before.
        limit: How many a page holds.

    Raises:
        Refused: The cursor is none.
    """
    topics = select(func.count()).where(SubscriptionRow.subscriber_id == SubscriberRow.id).scalar_subquery()
    columns: Any = (
        SubscriberRow.id,
        SubscriberRow.address,
        SubscriberRow.state,
        SubscriberRow.language,
        SubscriberRow.frequency,
        topics,
        SubscriberRow.created_at,
        SubscriberRow.next_digest_at,
        SubscriberRow.paused_until,
    )
    query: Any = select(*columns).order_by(col(SubscriberRow.address)).limit(limit + 1)
    if text:
        query = query.where(contains(SubscriberRow.address, text))
    if state:
        query = query.where(SubscriberRow.state == state)
    if after:
        query = query.where(col(SubscriberRow.address) > read_cursor(after, str)[0])
    rows = [ListedSubscriber(*row) for row in session.exec(query)]
    return page_of(rows, limit, lambda row: (row.address,))


def count_by_state(session: Session) -> dict[str, int]:
    """How many subscribers are in each state."""
    query = select(SubscriberRow.state, func.count()).group_by(col(SubscriberRow.state))
    return dict.fromkeys(STATES, 0) | dict(session.exec(query).all())


def mails_of(session: Session, subscriber: SubscriberRow, *, limit: int = 50) -> Sequence[SentMail]:
    """The latest mails to a subscriber, digests and letters, newest first."""
    ledger = select(func.count()).where(DigestItemRow.digest_id == DigestRow.id).scalar_subquery()
    digests: Any = select(DigestRow, ledger).where(DigestRow.subscriber_id == subscriber.id)
    letters = select(LetterRow).where(LetterRow.address == subscriber.address)
    found = [
        *(_mail(row, "digest", items) for row, items in session.exec(_newest(digests, DigestRow, limit))),
        *(_mail(row, row.kind, None) for row in session.exec(_newest(letters, LetterRow, limit))),
    ]
    return sorted(found, key=lambda mail: mail.built_at, reverse=True)[:limit]


def bounces_of(session: Session, subscriber_id: int, *, limit: int = 20) -> Sequence[StoredBounce]:
    """The latest bounces and complaints of a subscriber."""
    query = select(BounceRow).where(BounceRow.subscriber_id == subscriber_id)
    rows = session.exec(query.order_by(col(BounceRow.id).desc()).limit(limit))
    return [StoredBounce(row.at, row.kind, row.reference, row.detail) for row in rows]


def _newest(query: Any, table: type[DigestRow] | type[LetterRow], limit: int) -> Any:
    return query.order_by(col(table.id).desc()).limit(limit)


def _mail(row: DigestRow | LetterRow, kind: str, items: int | None) -> SentMail:
    return SentMail(
        "digest" if isinstance(row, DigestRow) else "letter",
        row.id or 0,
        kind,
        row.subject,
        row.state,
        row.attempts,
        row.built_at,
        row.sent_at,
        row.last_error,
        items,
    )
