"""Subscribers and the topics they chose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from monitor.errors import Conflict, NotFound
from monitor.store.events import audit_trail, record_event
from monitor.store.tables import BounceRow, SubscriberRow, SubscriptionRow
from monitor.store.upsert import insert_new
from monitor.texts import marked as _


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """What is known of a person when they subscribe; ``address`` is normalised already."""

    address: str
    topics: tuple[str, ...]
    language: str
    frequency: str
    weekday: int
    hour: int
    zone: str
    consent: Mapping[str, str]


class Reader(NamedTuple):
    """What is needed of a subscriber to write to them; ``language`` is one of ``READER_LANGUAGES``."""

    id: int
    state: str
    address: str
    language: str
    zone: str
    link_generation: int


def put_subscriber(session: Session, new: NewSubscriber, *, actor: str, now: datetime) -> int:
    """Store an active subscriber with their topics, whether they are new or come back; their id.

    The calendar looks at them at once and sets the time of their first digest, which covers the period before it.
    """
    start = {
        "state": "active",
        "language": new.language,
        "frequency": new.frequency,
        "weekday": new.weekday,
        "hour": new.hour,
        "zone": new.zone,
        "confirmed_at": now,
        "consent": dict(new.consent),
        "digested_until": None,
        "next_digest_at": now,
        "paused_until": None,
    }
    insert_new(session, SubscriberRow, [{"address": new.address, "created_at": now, "link_generation": 1, **start}])
    started = update(SubscriberRow).where(col(SubscriberRow.address) == new.address).values(start)
    subscriber_id = int(session.connection().execute(started.returning(col(SubscriberRow.id))).scalar_one() or 0)
    set_topics(session, subscriber_id, new.topics)
    record_event(
        session,
        now,
        actor=actor,
        action=_("subscribed"),
        noun="subscriber",
        noun_id=str(subscriber_id),
        detail={"topics": list(new.topics)},
    )
    return subscriber_id


def set_topics(session: Session, subscriber_id: int, topics: Sequence[str]) -> None:
    """Let a subscriber follow exactly these topics."""
    session.connection().execute(delete(SubscriptionRow).where(col(SubscriptionRow.subscriber_id) == subscriber_id))
    session.add_all(SubscriptionRow(subscriber_id=subscriber_id, topic_id=topic) for topic in topics)
    session.flush()


def find_subscriber(session: Session, address: str) -> SubscriberRow | None:
    """The subscriber of a normalised address."""
    return session.exec(select(SubscriberRow).where(SubscriberRow.address == address)).one_or_none()


def load_subscriber(session: Session, subscriber_id: int) -> SubscriberRow:
    """The subscriber with this id.

    Raises:
        NotFound: There is none, or no longer.
    """
    row = session.get(SubscriberRow, subscriber_id)
    if row is None:
        raise NotFound(_("this subscription does not exist any more"))
    return row


def delete_subscriber(session: Session, row: SubscriberRow) -> None:
    """Delete a subscriber with all that belongs to them: topics, keywords, digests and their ledger, letters."""
    session.delete(row)
    session.flush()


def suppress(session: Session, subscriber_id: int, *, reason: str, actor: str, now: datetime) -> None:
    """Send a person nothing more because somebody of the staff says so; what they chose is kept.

    Raises:
        NotFound: There is no such subscriber.
        Conflict: They are suppressed already.
    """
    row = load_subscriber(session, subscriber_id)
    if row.state == "suppressed":
        raise Conflict(_("this address is suppressed already"))
    detail, row.state = {"reason": reason, "before": row.state}, "suppressed"
    session.add(row)
    noun_id = str(subscriber_id)
    record_event(session, now, actor=actor, action=_("suppressed"), noun="subscriber", noun_id=noun_id, detail=detail)


def unsuppress(session: Session, subscriber_id: int, *, actor: str, now: datetime) -> None:
    """Take a suppression back. Whoever had ended their subscription before stays unsubscribed.

    Their bounces are forgotten, so that the next one does not end the mail at once. News of the time between comes
    with the next digest.

    Raises:
        NotFound: There is no such subscriber.
        Conflict: They are not suppressed.
    """
    row = load_subscriber(session, subscriber_id)
    if row.state != "suppressed":
        raise Conflict(_("this address is not suppressed: it is %(state)s", state=row.state))
    events = audit_trail(session, noun="subscriber", noun_id=str(subscriber_id), limit=200)
    ended = next((event for event in events if event.action == "suppressed"), None)
    before = str(ended.detail.get("before", "active")) if ended else "active"
    session.connection().execute(delete(BounceRow).where(col(BounceRow.subscriber_id) == subscriber_id))
    row.state, row.next_digest_at = before, now
    session.add(row)
    noun_id = str(subscriber_id)
    record_event(session, now, actor=actor, action=_("suppression taken back"), noun="subscriber", noun_id=noun_id)


def list_subscribers(session: Session) -> list[tuple[SubscriberRow, list[str]]]:
    """Every subscriber with the topics they follow, by address."""
    rows = session.exec(select(SubscriberRow).order_by(col(SubscriberRow.address))).all()
    chosen: dict[int, list[str]] = defaultdict(list)
    for subscription in session.exec(select(SubscriptionRow).order_by(SubscriptionRow.topic_id)):
        chosen[subscription.subscriber_id].append(subscription.topic_id)
    return [(row, chosen[row.id or 0]) for row in rows]


def topics_of(session: Session, subscriber_id: int) -> list[str]:
    """The topics that a subscriber follows."""
    chosen = select(SubscriptionRow.topic_id).where(SubscriptionRow.subscriber_id == subscriber_id)
    return sorted(session.exec(chosen))


def topics_of_all(session: Session, subscriber_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """The topics that each of these subscribers follows."""
    chosen: dict[int, list[str]] = defaultdict(list)
    columns: Any = select(SubscriptionRow.subscriber_id, SubscriptionRow.topic_id)
    wanted = columns.where(col(SubscriptionRow.subscriber_id).in_(subscriber_ids))
    for subscriber_id, topic in session.connection().execute(wanted):
        chosen[subscriber_id].append(topic)
    return chosen


def due_subscriber_ids(session: Session, now: datetime, *, limit: int) -> list[int]:
    """Active subscribers whose next digest is due, the longest waiting first."""
    due = select(SubscriberRow.id).where(SubscriberRow.state == "active", SubscriberRow.next_digest_at <= now)
    rows = session.exec(due.order_by(col(SubscriberRow.next_digest_at)).limit(limit))
    return [row for row in rows if row is not None]
