"""The digest that a subscriber would get now, without making it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from monitor.core.languages import Language
from monitor.digests.build import select_holdings, window_start
from monitor.digests.content import Sender
from monitor.digests.facts import Asked, facts_of
from monitor.digests.personal import personal_hits
from monitor.digests.render import render_digest
from monitor.digests.select import Links, digest_content
from monitor.digests.shelf import Shelf
from monitor.letters import Letter
from monitor.store.tables import SubscriberRow


def preview_digest(
    session: Session, subscriber: SubscriberRow, now: datetime, *, sender: Sender, links: Links, hold: bool = False
) -> Letter | None:
    """Render what has come in since the subscriber's last digest, or None where that is nothing worth a mail."""
    subscriber_id = subscriber.id or 0
    window = window_start(subscriber, now), now
    found = personal_hits(session, [subscriber_id], now)
    held = select_holdings(session, {subscriber_id: window}, found, hold=hold)[subscriber_id]
    if not held.news:
        return None
    shelf = Shelf()
    asked = Asked(subscriber_id, window, held.match_ids, held.own)
    facts = facts_of(session, {subscriber_id: asked}, shelf)[subscriber_id]
    language, zone = Language(subscriber.language), subscriber.zone
    return render_digest(digest_content(facts, language, zone, sender=sender, links=links, shelf=shelf))
