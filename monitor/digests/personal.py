"""What subscribers' own keywords find for their next digest: each item is read once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.digests.build import window_start
from monitor.store.holdings import LATE_ARRIVALS
from monitor.store.personal import PersonalHit, as_watch, find_hits, own_watches
from monitor.store.tables import SubscriberRow

MOST_READ = 20_000
"""The most items that are read for one batch of subscribers; the newest come first."""


def personal_hits(session: Session, subscriber_ids: Sequence[int], now: datetime) -> Mapping[int, list[PersonalHit]]:
    """What the subscribers' own keywords find in what came in since their last digests, by subscriber."""
    watches = [as_watch(row) for row in own_watches(session, subscriber_ids)]
    found: dict[int, list[PersonalHit]] = defaultdict(list)
    if not watches:
        return found
    owners = {int(watch.topic) for watch in watches}
    subscribers = session.exec(select(SubscriberRow).where(col(SubscriberRow.id).in_(owners)))
    since = min(window_start(subscriber, now) for subscriber in subscribers) - LATE_ARRIVALS
    for item_id, hit in find_hits(session, watches, since, limit=MOST_READ):
        personal = PersonalHit(item_id, int(hit.watch.key), hit.watch.query, hit.evidence)
        found[int(hit.watch.topic)].append(personal)
    return found
