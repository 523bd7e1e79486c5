"""Building the due digests: each window becomes a row, and what it holds becomes the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlmodel import Session, col, select

from monitor.core.schedule import Frequency, Schedule
from monitor.digests.calendar import Window, due_window, latest_boundary, next_boundary, next_due
from monitor.store import digests, personal
from monitor.store.holdings import HeldMatches, passed_items, select_matches
from monitor.store.personal import PersonalHit
from monitor.store.tables import SubscriberRow

MessageId = Callable[[int, datetime], str]
"""Derives a Message-ID from a subscriber's id and the end of the window."""

Period = tuple[datetime, datetime]
"""The start and the end of a window."""

NOTHING: Mapping[int, Sequence[PersonalHit]] = MappingProxyType({})
"""Nobody's own keywords found anything."""
_NO_MATCHES = HeldMatches((), worthy=False)


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


def build_digests(
    session: Session,
    subscriber_ids: Sequence[int],
    now: datetime,
    message_id: MessageId,
    own: Mapping[int, Sequence[PersonalHit]] = NOTHING,
    *,
    hold: bool = False,
) -> list[int]:
    """Build the digests that are due, with their ledgers, and move the subscribers' cursors, all in one transaction.

    Args:
        session: An open writing transaction.
        subscriber_ids: Whose digests.
        now: The present, aware UTC.
        message_id: How a digest's Message-ID follows from its key.
        own: What the subscribers' own keywords found, as ``digests.personal`` says.
        hold: Take only what a reviewer has passed.

    Returns:
        The ids of the digests to send. Left out is who is due nothing, whose window held no news, and for whom
        another worker was faster.
    """
    due = _due(session, subscriber_ids, now)
    windows = {subscriber.id or 0: open_window(subscriber, now) for subscriber in due}
    cursors = []
    for subscriber in due:
        window = windows[subscriber.id or 0]
        until = window.end if window else window_start(subscriber, now)
        cursors.append((subscriber.id or 0, until, next_digest_after(subscriber, until)))
    if cursors:
        digests.advance_subscribers(session, cursors)
    keys = {subscriber_id: (window.start, window.end) for subscriber_id, window in windows.items() if window}
    return _store_digests(session, keys, select_holdings(session, keys, own, hold=hold), now, message_id)


def _due(session: Session, subscriber_ids: Sequence[int], now: datetime) -> list[SubscriberRow]:
    """The subscribers who are due a digest, their rows locked, in an order that no other worker turns round."""
    rows = select(SubscriberRow).where(col(SubscriberRow.id).in_(subscriber_ids)).order_by(col(SubscriberRow.id))
    locked = session.exec(rows.with_for_update())
    return [row for row in locked if row.state == "active" and row.next_digest_at <= now]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a digest holds: the ids of its matches, and what the reader's own keywords found."""

    match_ids: Sequence[int]
    own: Sequence[PersonalHit]
    news: bool


def select_holdings(
    session: Session, windows: Mapping[int, Period], own: Mapping[int, Sequence[PersonalHit]], *, hold: bool = False
) -> dict[int, Holding]:
    """What the digest of each subscriber holds for a window.

    Mentions in passing alone are no news: they wait in the match log, and nobody gets a mail for them.
    """
    readers: dict[Period, list[int]] = defaultdict(list)
    for subscriber_id, window in windows.items():
        readers[window].append(subscriber_id)
    held: dict[int, HeldMatches] = {}
    for window, subscriber_ids in readers.items():
        held |= select_matches(session, subscriber_ids, *window, hold=hold)
    return {
        subscriber_id: _holding(
            held.get(subscriber_id, _NO_MATCHES), _unsent(session, subscriber_id, window, own, hold=hold)
        )
        for subscriber_id, window in windows.items()
    }


def _holding(matches: HeldMatches, own: Sequence[PersonalHit]) -> Holding:
    return Holding(matches.ids, own, news=bool(own) or matches.worthy)


def _unsent(
    session: Session, subscriber_id: int, window: Period, own: Mapping[int, Sequence[PersonalHit]], *, hold: bool
) -> list[PersonalHit]:
    """What a reader's own keywords found that belongs into the digest for a window."""
    hits = personal.unsent(session, own.get(subscriber_id, ()), subscriber_id, *window)
    if not hold or not hits:
        return hits
    passed = passed_items(session, [hit.item_id for hit in hits])
    return [hit for hit in hits if hit.item_id in passed]


def _store_digests(
    session: Session,
    windows: Mapping[int, Period],
    held: Mapping[int, Holding],
    now: datetime,
    message_id: MessageId,
) -> list[int]:
    names = {subscriber_id: message_id(subscriber_id, end) for subscriber_id, (_, end) in windows.items()}
    news = {names[subscriber_id]: one for subscriber_id, one in held.items() if one.news}
    rows = [
        {
            "subscriber_id": subscriber_id,
            "window_start": start,
            "window_end": end,
            "message_id": names[subscriber_id],
            "state": "built" if held[subscriber_id].news else "empty",
            "subject": "",
            "built_at": now,
            "attempts": 0,
            "next_attempt_at": now,
            "last_error": "",
        }
        for subscriber_id, (start, end) in windows.items()
    ]
    stored = digests.insert_digests(session, rows, {name: one.match_ids for name, one in news.items()})
    built = {name: digest_id for name, digest_id in stored.items() if name in news}
    for name, digest_id in built.items():
        personal.record_hits(session, digest_id, news[name].own)
    return list(built.values())
