"""What a subscriber changes by themselves. Each change is one function, and one line of the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from monitor.core.languages import Language
from monitor.core.schedule import Schedule
from monitor.store.events import record_event
from monitor.store.subscribers import set_topics
from monitor.store.tables import SubscriberRow
from monitor.subscriptions.choices import Choice
from monitor.subscriptions.subscribe import chosen_topics
from monitor.texts import marked as _

SUBSCRIBER = _("the subscriber")
"""How the audit trail calls a person who holds a signed link."""


def change_topics(session: Session, subscriber: SubscriberRow, topics: Sequence[str], *, now: datetime) -> None:
    """Let a subscriber follow other topics; pillars stand for all their topics, none for everything.

    Raises:
        Refused: There is no such topic.
    """
    chosen = chosen_topics(session, topics)
    set_topics(session, subscriber.id or 0, chosen)
    note_change(session, subscriber, _("chose topics"), now, topics=list(chosen))


def change_schedule(
    session: Session, subscriber: SubscriberRow, language: Language, schedule: Schedule, *, now: datetime
) -> None:
    """Give a subscriber another schedule and language.

    The end of their last window stays, and the calendar is asked at once when the next one ends (see
    ``digests.build``): no news falls between the two schedules, and none comes twice.
    """
    subscriber.language = language.value
    subscriber.frequency = schedule.frequency.value
    subscriber.weekday, subscriber.hour, subscriber.zone = schedule.weekday, schedule.hour, schedule.zone
    _ask_calendar(session, subscriber, now)
    note_change(session, subscriber, _("chose a schedule"), now, frequency=subscriber.frequency, zone=subscriber.zone)


def change_choice(session: Session, subscriber: SubscriberRow, choice: Choice, *, now: datetime) -> None:
    """Give a subscriber other topics, another language and another schedule.

    Raises:
        Refused: There is no such topic.
    """
    change_topics(session, subscriber, choice.topics, now=now)
    change_schedule(session, subscriber, choice.language, choice.schedule, now=now)


def pause(session: Session, subscriber: SubscriberRow, until: datetime | None, *, now: datetime) -> None:
    """Send a subscriber nothing until a time, or go on at once; what comes in meanwhile is in the digest after it."""
    subscriber.paused_until = until
    _ask_calendar(session, subscriber, now)
    note_change(session, subscriber, _("paused") if until else _("ended a pause"), now)


def note_change(session: Session, subscriber: SubscriberRow, action: str, now: datetime, **detail: Any) -> None:
    """Write a subscriber's own act into the audit trail, without anything that says who they are."""
    subscriber_id = str(subscriber.id)
    record_event(session, now, actor=SUBSCRIBER, action=action, noun="subscriber", noun_id=subscriber_id, detail=detail)


def _ask_calendar(session: Session, subscriber: SubscriberRow, now: datetime) -> None:
    subscriber.next_digest_at = now
    session.add(subscriber)
