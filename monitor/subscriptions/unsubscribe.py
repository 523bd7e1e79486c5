"""Ending a subscription, and taking it up again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from monitor.errors import Conflict
from monitor.store.subscribers import load_subscriber
from monitor.subscriptions.preferences import note_change
from monitor.texts import marked as _

_LONGEST_CATCH_UP = timedelta(days=31)
"""Who comes back later than this starts with the news of the last month: a digest of a year is no digest."""


def unsubscribe(session: Session, subscriber_id: int, *, now: datetime) -> None:
    """Send a subscriber nothing more; doing it again changes nothing.

    Raises:
        NotFound: There is no such subscriber.
    """
    subscriber = load_subscriber(session, subscriber_id)
    if subscriber.state != "active":
        return
    subscriber.state = "unsubscribed"
    session.add(subscriber)
    note_change(session, subscriber, _("unsubscribed"), now)


def resubscribe(session: Session, subscriber_id: int, *, now: datetime) -> None:
    """Undo the end of a subscription, with all that was chosen; doing it again changes nothing.

    Raises:
        NotFound: There is no such subscriber.
        Conflict: Mail to the address bounced or was complained about.
    """
    subscriber = load_subscriber(session, subscriber_id)
    if subscriber.state == "suppressed":
        raise Conflict("the address is suppressed: mail to it bounced, or was complained about")
    if subscriber.state == "active":
        return
    subscriber.state, subscriber.next_digest_at = "active", now
    if subscriber.digested_until:
        subscriber.digested_until = max(subscriber.digested_until, now - _LONGEST_CATCH_UP)
    session.add(subscriber)
    note_change(session, subscriber, _("subscribed again"), now)
