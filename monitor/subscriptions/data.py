"""All that is held about a subscriber: handed to them, or erased (docs/privacy.md says what is kept and why)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from monitor.store.events import record_event
from monitor.store.personal import hits_of, load_found, own_watches
from monitor.store.subscribers import delete_subscriber, topics_of
from monitor.store.tables import (
    AddressChangeRow,
    BounceRow,
    DigestItemRow,
    DigestRow,
    EventRow,
    ItemRow,
    LetterRow,
    MatchRow,
    SignupRow,
    SubscriberRow,
)
from monitor.texts import marked as _

Row = TypeVar("Row", bound=SQLModel)

_INTERNAL = {"id", "subscriber_id", "payload", "link_generation"}


def export_data(session: Session, subscriber: SubscriberRow) -> dict[str, Any]:
    """All that is held about a subscriber, as values that JSON can hold."""
    subscriber_id = subscriber.id or 0
    theirs = {"subscriber_id": subscriber_id}
    by_address = {"address": subscriber.address}
    events = {"noun": "subscriber", "noun_id": str(subscriber_id)}
    return {
        "subscription": {**_plain(subscriber), "topics": topics_of(session, subscriber_id)},
        "keywords": _all(own_watches(session, [subscriber_id])),
        "digests": [_digest(session, row) for row in _rows(session, DigestRow, theirs)],
        "letters": _all(_rows(session, LetterRow, by_address)),
        "requests": _all(_rows(session, SignupRow, by_address)),
        "bounces": _all(_rows(session, BounceRow, theirs)),
        "changes_of_address": _all(_rows(session, AddressChangeRow, theirs)),
        "history": _all(_rows(session, EventRow, events)),
    }


def erase(session: Session, subscriber: SubscriberRow, *, actor: str, now: datetime) -> None:
    """Erase all that is held about a subscriber: what they chose, what they were sent, and their address everywhere.

    The audit trail keeps its lines, which name them by a number that stands for nobody any more.
    """
    subscriber_id, address = subscriber.id, subscriber.address
    connection = session.connection()
    connection.execute(delete(SignupRow).where(col(SignupRow.address) == address))
    connection.execute(delete(LetterRow).where(col(LetterRow.address) == address))
    delete_subscriber(session, subscriber)
    record_event(session, now, actor=actor, action=_("erased"), noun="subscriber", noun_id=str(subscriber_id))


def _digest(session: Session, digest: DigestRow) -> dict[str, Any]:
    told = select(ItemRow.title, ItemRow.url, MatchRow.topic_id).join(MatchRow, col(MatchRow.item_id) == ItemRow.id)
    told = told.join(DigestItemRow, col(DigestItemRow.match_id) == MatchRow.id)
    items = session.exec(told.where(DigestItemRow.digest_id == digest.id).order_by(col(MatchRow.id)))
    own = load_found(session, hits_of(session, [digest.id or 0])[digest.id or 0])
    return {
        **_plain(digest),
        "items": [{"title": title, "url": url, "topic": topic} for title, url, topic in items],
        "items_of_keywords": [
            {"title": found.document.title, "url": found.url, "keyword": found.hit.query} for found in own
        ],
    }


def _rows(session: Session, table: type[Row], wanted: Mapping[str, Any]) -> Iterable[Row]:
    return session.exec(select(table).filter_by(**wanted).order_by("id"))


def _all(rows: Iterable[SQLModel]) -> list[dict[str, Any]]:
    return [_plain(row) for row in rows]


def _plain(row: SQLModel) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude=_INTERNAL)
