"""The digest that a subscriber would get now, without making it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from monitor.core.languages import Language
from monitor.digests.build import select_holding, window_start
from monitor.digests.content import Sender
from monitor.digests.personal import personal_hits
from monitor.digests.render import render_digest
from monitor.digests.select import Links, content_of_matches
from monitor.letters import Letter
from monitor.store.tables import SubscriberRow


def preview_digest(
    session: Session, subscriber: SubscriberRow, now: datetime, *, sender: Sender, links: Links, hold: bool = False
) -> Letter | None:
    """Render what has come in since the subscriber's last digest, or None where that is nothing worth a mail."""
    subscriber_id = subscriber.id or 0
    window = window_start(subscriber, now), now
    found = personal_hits(session, [subscriber_id], now).get(subscriber_id, [])
    held = select_holding(session, subscriber_id, window, found, hold=hold)
    if not held.news:
        return None
    content = content_of_matches(
        session,
        held.match_ids,
        held.own,
        subscriber_id=subscriber_id,
        window=window,
        language=Language(subscriber.language),
        zone=subscriber.zone,
        sender=sender,
        links=links,
    )
    return render_digest(content)
