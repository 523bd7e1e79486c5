"""The ticks: what the schedule fires.

A tick finds in the rows what is due, in a transaction that also holds its slot, and answers with intents, which
``monitor.tasks`` carries out. Whoever dies in between leaves rows from which the next tick starts again.

What a tick lists is everything that is due, up to a bound on the transaction that is far beyond what is worked on until
the next one: an id that some task has in hand already is left out by whoever takes the intents on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from monitor import metrics
from monitor.app import App, Intent
from monitor.polling import websub
from monitor.polling.notices import tell_of_broken_sources
from monitor.staff import sign_in
from monitor.store import (
    channels,
    claims,
    hubs,
    items,
    letters,
    outgoing,
    retention,
    signups,
    slots,
    subscribers,
    tallies,
)
from monitor.store.live_watchlist import REMATCHED, reopen_if_changed
from monitor.store.staff import prune_staff
from monitor.store.tables import DigestRow, LetterRow, PushRow
from monitor.subscriptions.subscribe import KEEP_SIGNUPS
from monitor.tasks import (
    DIGEST_BATCH,
    HUB_BATCH,
    MATCH_BATCH,
    POLL_LEASE,
    PUSH_BATCH,
    SEND_BATCH,
    THE_MAILBOX,
    batches,
    pack_polls,
)
from monitor.texts import marked as _

log = structlog.get_logger(__name__)

MOST = 100_000
"""Ids that a tick lists at most; the rest is found by the next one. It bounds a transaction to some seconds."""
TEXTS = 10_000
"""Items whose texts are looked at by one run of the pruning, if texts are forgotten at all."""
POLL_PER_HOST = 20
POLL_CLAIM = 500
"""Sources claimed at a tick, for each host that one process visits at a time."""
ARTICLE_HOSTS = 100
ARTICLE_SOURCES = 3
"""Sources of one host whose pages are read under one lease: with its pauses, that is some minutes."""
KEEP_TALLIES = timedelta(days=2)
MATCHING_PATIENCE = timedelta(hours=1)
"""How long a due digest waits for items that have not been matched yet; after that it goes without them."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A named job of the schedule; ``every`` is anchored at midnight UTC."""

    name: str
    every: timedelta
    run: Callable[[App, Session, datetime], list[Intent]]
    says: str


def poll_due_sources(app: App, session: Session, now: datetime) -> list[Intent]:
    """Lease the sources whose visit is due."""
    limit = app.settings.poll_concurrency * POLL_CLAIM
    claimed = claims.claim_due_sources(session, now, limit=limit, per_host=POLL_PER_HOST, lease=POLL_LEASE)
    return pack_polls(list(claimed.values()))


def read_wanted_articles(app: App, session: Session, now: datetime) -> list[Intent]:
    """Lease the sources with items whose pages are still to be read."""
    claimed = claims.claim_for_articles(session, now, limit=ARTICLE_HOSTS, per_host=ARTICLE_SOURCES, lease=POLL_LEASE)
    return [Intent("read_articles", tuple(ids)) for ids in claimed.values()]


def start_due_digests(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the subscribers whose digest is due; while items wait for matching, match them first."""
    due = subscribers.due_subscriber_ids(session, now, limit=MOST)
    if not due:
        return []
    waiting = items.unmatched_ids(session, limit=MOST, seen_after=now - MATCHING_PATIENCE)
    return batches("match_items", waiting, MATCH_BATCH) or batches("build_digests", due, DIGEST_BATCH)


def deliver_digests(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the digests whose sending, first or again, is due."""
    due = outgoing.due_ids(session, DigestRow, now, limit=MOST)
    return batches("send_digests", due, SEND_BATCH)


def deliver_letters(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the letters whose sending, first or again, is due."""
    due = outgoing.due_ids(session, LetterRow, now, limit=MOST)
    return batches("send_letters", due, SEND_BATCH)


def tell_channels(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find what the channels were not told of yet, and what is to be tried again."""
    channels.post_news(session, hold=app.settings.hold_for_review, domain=app.settings.mail_domain, now=now)
    due = outgoing.due_ids(session, PushRow, now, limit=MOST)
    return batches("send_pushes", due, PUSH_BATCH)


def read_bounces(app: App, session: Session, now: datetime) -> list[Intent]:
    """Have the mailbox for bounces read, where there is one."""
    return [Intent("read_mailbox", THE_MAILBOX)] if app.settings.imap_host and app.settings.bounce_address else []


def recover_lost_work(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find what no tick above would: items left unmatched by a worker that died, or by a changed watchlist.

    Leases of dead workers need no recovery: they run out, and their sources and digests are due again.
    """
    if reopen_if_changed(session, now):
        app.live.rebuild(session)
        log.info("the watchlist changed; recent items are matched again")
    return batches("match_items", items.unmatched_ids(session, limit=MOST), MATCH_BATCH)


def tell_operator(app: App, session: Session, now: datetime) -> list[Intent]:
    """Tell the operator, if there is one, of sources that broke."""
    settings = app.settings
    if settings.operator and (
        count := tell_of_broken_sources(session, settings.operator, domain=settings.mail_domain, now=now)
    ):
        log.warning("sources are broken; the operator is told", sources=count)
    return []


def find_hubs_to_ask(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the hubs that are to be asked to push; there are none while nobody outside can reach this service."""
    if not websub.is_reachable(app.settings.base_url, allow_loopback=app.settings.poll_allow_loopback):
        return []
    return batches("ask_hubs", hubs.due_hub_ids(session, now, limit=MOST), HUB_BATCH)


def prune(app: App, session: Session, now: datetime) -> list[Intent]:
    """Forget the history that nothing needs any more; of what is much, a part, and the next tick goes on."""
    settings = app.settings
    polls = retention.prune_polls(session, now - timedelta(days=settings.keep_polls_days), limit=MOST)
    pushes = retention.prune_pushes(session, now - timedelta(days=settings.keep_pushes_days), limit=MOST)
    texts = _forget_texts(session, settings.keep_texts_days, now)
    ticks = slots.prune_slots(session, now - timedelta(days=settings.keep_slots_days))
    old = letters.prune_letters(session, now - timedelta(days=settings.keep_letters_days))
    requests = signups.prune_signups(session, now - KEEP_SIGNUPS)
    changes = signups.prune_address_changes(session, now - KEEP_SIGNUPS)
    claims.prune_turns(session, now)
    tallies.prune_tallies(session, now - KEEP_TALLIES)
    prune_staff(session, now, keep=sign_in.KEEP_SIGN_INS)
    of_people = {"letters": old, "signups": requests, "address_changes": changes}
    log.info("pruned", polls=polls, pushes=pushes, texts=texts, slots=ticks, **of_people)
    return []


def _forget_texts(session: Session, days: int, now: datetime) -> int:
    """Never so early that a changed watchlist would still have them matched again."""
    before = now - max(timedelta(days=days), REMATCHED)
    return retention.forget_texts(session, before, limit=TEXTS) if days else 0


TICKS: tuple[Tick, ...] = (
    Tick("poll_due_sources", timedelta(seconds=30), poll_due_sources, _("visit the sources that are due")),
    Tick("read_wanted_articles", timedelta(minutes=1), read_wanted_articles, _("read the full text of new items")),
    Tick("start_due_digests", timedelta(minutes=1), start_due_digests, _("build the digests that are due")),
    Tick("deliver_digests", timedelta(seconds=30), deliver_digests, _("send what is built")),
    Tick("deliver_letters", timedelta(seconds=10), deliver_letters, _("send confirmations and links")),
    Tick("tell_channels", timedelta(minutes=1), tell_channels, _("tell programs of the news")),
    Tick("read_bounces", timedelta(minutes=5), read_bounces, _("read the mail that came back")),
    Tick("recover_lost_work", timedelta(minutes=10), recover_lost_work, _("take up what a crash left behind")),
    Tick("tell_operator", timedelta(hours=1), tell_operator, _("tell the operator of broken sources")),
    Tick("find_hubs_to_ask", timedelta(minutes=10), find_hubs_to_ask, _("ask hubs to push what their feeds publish")),
    Tick("prune", timedelta(hours=1), prune, _("forget old history")),
)


Enqueue = Callable[[Session, Sequence[Intent]], None]
"""Puts intents into a queue, in the session's transaction."""


def run_tick(app: App, tick: Tick, scheduled_at: datetime, enqueue: Enqueue | None = None) -> list[Intent]:
    """Fire a tick if no other scheduler has: its slot, what it claims, and what it enqueues are one transaction."""
    now = app.clock()
    with app.database.write() as session:
        if not slots.take_slot(session, tick.name, scheduled_at, now):
            return []
        intents = tick.run(app, session, now)
        if enqueue:
            enqueue(session, intents)
    metrics.TICKS.labels(tick.name).inc()
    return intents
