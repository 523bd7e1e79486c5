"""All that is held about a subscriber: handed to them, or erased (docs/privacy.md says what is kept and why)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete
from sqlmodel import Session, SQLModel, col, select

from monitor.store.events import record_event
from monitor.store.personal import own_watches
from monitor.store.subscribers import delete_subscriber, topics_of
from monitor.store.tables import (
    AddressChangeRow,
    BounceRow,
    DigestItemRow,
    DigestPersonalRow,
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
        "digests": _digests(session, subscriber_id),
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


def _digests(session: Session, subscriber_id: int) -> list[dict[str, Any]]:
    """Their digests with what each held, read in as few statements for a hundred as for one."""
    of_topics = _held(session, _OF_TOPICS, subscriber_id, ("title", "url", "topic"))
    of_keywords = _held(session, _OF_KEYWORDS, subscriber_id, ("title", "url", "keyword"))
    return [
        {**_plain(row), "items": of_topics[row.id or 0], "items_of_keywords": of_keywords[row.id or 0]}
        for row in _rows(session, DigestRow, {"subscriber_id": subscriber_id})
    ]


def _held(session: Session, query: Any, subscriber_id: int, names: Sequence[str]) -> Mapping[int, list[dict[str, str]]]:
    """What a subscriber's digests hold, by digest: what follows the digest's id in a row, under these names."""
    held: defaultdict[int, list[dict[str, str]]] = defaultdict(list)
    for digest_id, *values in session.exec(query.where(DigestRow.subscriber_id == subscriber_id)):
        held[digest_id].append(dict(zip(names, values, strict=True)))
    return held


_OF_TOPICS = (
    select(DigestItemRow.digest_id, ItemRow.title, ItemRow.url, MatchRow.topic_id)
    .join(DigestRow, col(DigestRow.id) == col(DigestItemRow.digest_id))
    .join(MatchRow, col(MatchRow.id) == col(DigestItemRow.match_id))
    .join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
    .order_by(col(MatchRow.id))
)
_OF_KEYWORDS = (
    select(DigestPersonalRow.digest_id, ItemRow.title, ItemRow.url, DigestPersonalRow.query)
    .join(DigestRow, col(DigestRow.id) == col(DigestPersonalRow.digest_id))
    .join(ItemRow, col(ItemRow.id) == col(DigestPersonalRow.item_id))
    .order_by(col(DigestPersonalRow.item_id), col(DigestPersonalRow.watch_id))
)


def _rows(session: Session, table: type[Row], wanted: Mapping[str, Any]) -> Iterable[Row]:
    return session.exec(select(table).filter_by(**wanted).order_by("id"))


def _all(rows: Iterable[SQLModel]) -> list[dict[str, Any]]:
    return [_plain(row) for row in rows]


def _plain(row: SQLModel) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude=_INTERNAL)
