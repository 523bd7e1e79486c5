"""Building a subscriber's due digest: the window becomes a row, and what it holds becomes the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from monitor.core.schedule import Frequency, Schedule
from monitor.digests.calendar import Window, due_window, latest_boundary, next_boundary, next_due
from monitor.store import digests, personal
from monitor.store.personal import PersonalHit
from monitor.store.tables import SubscriberRow

MessageId = Callable[[int, datetime], str]
"""Derives a Message-ID from a subscriber's id and the end of the window."""


def schedule_of(subscriber: SubscriberRow) -> Schedule:
    """When a subscriber wants digests."""
    return Schedule(Frequency(subscriber.frequency), subscriber.weekday, subscriber.hour, subscriber.zone)


def window_start(subscriber: SubscriberRow, now: datetime) -> datetime:
    """Where a subscriber's next window starts: where the last one ended, or at the boundary before they confirmed."""
    return subscriber.digested_until or latest_boundary(subscriber.confirmed_at or now, schedule_of(subscriber))


def open_window(subscriber: SubscriberRow, now: datetime) -> Window | None:
    """The window of the digest that is due now, or None if none is; none is during a pause."""
    if subscriber.paused_until and now < subscriber.paused_until:
        return None
    return due_window(window_start(subscriber, now), now, schedule_of(subscriber))


def next_digest_after(subscriber: SubscriberRow, digested_until: datetime) -> datetime:
    """When the digest after the one that ended at a time is due; not before a pause is over."""
    schedule = schedule_of(subscriber)
    due = next_due(digested_until, schedule)
    if subscriber.paused_until is None:
        return due
    return max(due, next_boundary(subscriber.paused_until - datetime.resolution, schedule))


def next_digest(subscriber: SubscriberRow, now: datetime) -> datetime:
    """When a subscriber's next digest is due: ``now`` where one is due already."""
    if open_window(subscriber, now):
        return now
    return next_digest_after(subscriber, window_start(subscriber, now))


def build_digest(
    session: Session,
    subscriber_id: int,
    now: datetime,
    message_id: MessageId,
    own: Sequence[PersonalHit] = (),
    *,
    hold: bool = False,
) -> int | None:
    """Build the digest that is due, with its ledger, and move the subscriber's cursor, all in one transaction.

    Args:
        session: An open writing transaction.
        subscriber_id: Whose digest.
        now: The present, aware UTC.
        message_id: How the digest's Message-ID follows from its key.
        own: What the subscriber's own keywords found, as ``digests.personal`` says.
        hold: Take only what a reviewer has passed.

    Returns:
        The id of a digest to send, or None: nothing is due, another worker was faster, or the window held no news.
    """
    subscriber = session.get(SubscriberRow, subscriber_id, with_for_update=True)
    if subscriber is None or subscriber.state != "active" or subscriber.next_digest_at > now:
        return None
    window = open_window(subscriber, now)
    until = window.end if window else window_start(subscriber, now)
    next_at = next_digest_after(subscriber, until)
    digests.advance_subscriber(session, subscriber_id, digested_until=until, next_at=next_at)
    if window is None:
        return None
    key = {
        "subscriber_id": subscriber_id,
        "window_start": window.start,
        "window_end": window.end,
        "message_id": message_id(subscriber_id, window.end),
    }
    return _store_digest(session, key, own, now, hold=hold)


@dataclass(frozen=True, slots=True)
class Holding:
    """What a digest holds: the ids of its matches, and what the reader's own keywords found."""

    match_ids: Sequence[int]
    own: Sequence[PersonalHit]
    news: bool


def select_holding(
    session: Session,
    subscriber_id: int,
    window: tuple[datetime, datetime],
    own: Sequence[PersonalHit],
    *,
    hold: bool = False,
) -> Holding:
    """What a subscriber's digest for a window holds.

    Mentions in passing alone are no news: they wait in the match log, and nobody gets a mail for them.
    """
    match_ids = digests.select_match_ids(session, subscriber_id, *window, hold=hold)
    own = personal.unsent(session, own, subscriber_id, *window)
    if hold:
        passed = digests.passed_items(session, [hit.item_id for hit in own])
        own = [hit for hit in own if hit.item_id in passed]
    return Holding(match_ids, own, news=bool(own) or digests.any_worthy(session, match_ids))


def _store_digest(
    session: Session, key: Mapping[str, Any], own: Sequence[PersonalHit], now: datetime, *, hold: bool
) -> int | None:
    window = key["window_start"], key["window_end"]
    held = select_holding(session, key["subscriber_id"], window, own, hold=hold)
    state = {
        "state": "built" if held.news else "empty",
        "subject": "",
        "built_at": now,
        "attempts": 0,
        "next_attempt_at": now,
        "last_error": "",
    }
    digest_id = digests.insert_digest(session, {**key, **state}, held.match_ids if held.news else ())
    if digest_id is None or not held.news:
        return None
    personal.record_hits(session, digest_id, held.own)
    return digest_id
