"""The units of work. Ids go in, a transaction is made, the intents that follow come out.

A *tick* is what the schedule fires: it finds in the rows what is due, in a transaction that also holds its slot, and
answers with intents. A *task* carries an intent out: it takes each id, returns if somebody did it already, and marks
it done. Whoever dies in between leaves rows from which the next tick starts again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel import Session

from monitor import metrics, pushing
from monitor.app import App, Intent
from monitor.digests import build
from monitor.digests.personal import personal_hits
from monitor.digests.shelf import Shelf
from monitor.mails import compose_digests, compose_letters
from monitor.polling import articles, websub
from monitor.polling.articles import ArticlesReport
from monitor.polling.fetch import FailureKind
from monitor.polling.intake import VisitReport
from monitor.polling.notices import tell_of_broken_sources
from monitor.polling.regroup import regroup
from monitor.polling.visit import visit_sources
from monitor.returned import empty_mailbox
from monitor.sending import send_mails
from monitor.staff import sign_in
from monitor.store import (
    channels,
    hubs,
    items,
    letters,
    matches,
    outgoing,
    signups,
    slots,
    sources,
    subscribers,
    tallies,
)
from monitor.store.live_watchlist import reopen_if_changed
from monitor.store.staff import prune_staff
from monitor.store.tables import DigestRow, LetterRow, PushRow
from monitor.subscriptions.subscribe import KEEP_SIGNUPS
from monitor.texts import marked as _

log = structlog.get_logger(__name__)

POLL_BATCH = 100
POLL_PER_HOST = 20
POLL_LEASE = timedelta(minutes=10)
ARTICLE_SOURCES = 3
"""Sources of one host whose pages are read under one lease: with its pauses, that is some minutes."""
MATCH_BATCH = 100
HUB_BATCH = 50
DIGEST_BATCH = 500
BUILT_AT_ONCE = 50
"""Digests that are built in one transaction: whoever else wants to write waits some hundredths of a second."""
SEND_BATCH = 1000
PUSH_BATCH = 100
_NO_WAY_OUT = frozenset({FailureKind.DNS, FailureKind.REFUSED, FailureKind.TIMEOUT})
KEEP_TALLIES = timedelta(days=2)
_THE_MAILBOX = (1,)
"""There is one mailbox; an intent is about something with a number, or the queue would see nothing to do."""
MATCHING_PATIENCE = timedelta(hours=1)
"""How long a due digest waits for items that have not been matched yet; after that it goes without them."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A named job of the schedule; ``every`` is anchored at midnight UTC."""

    name: str
    every: timedelta
    run: Callable[[App, Session, datetime], list[Intent]]
    says: str


# ---- ticks: what the schedule fires -------------------------------------------------------------------------------


def poll_due_sources(app: App, session: Session, now: datetime) -> list[Intent]:
    """Lease the sources whose visit is due."""
    limit = app.settings.poll_concurrency * POLL_BATCH
    claimed = sources.claim_due_sources(session, now, limit=limit, per_host=POLL_PER_HOST, lease=POLL_LEASE)
    return pack_polls(list(claimed.values()))


def read_wanted_articles(app: App, session: Session, now: datetime) -> list[Intent]:
    """Lease the sources with items whose pages are still to be read."""
    claimed = sources.claim_for_articles(session, now, limit=POLL_BATCH, per_host=ARTICLE_SOURCES, lease=POLL_LEASE)
    return [Intent("read_articles", tuple(ids)) for ids in claimed.values()]


def start_due_digests(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the subscribers whose digest is due; while items wait for matching, match them first."""
    due = subscribers.due_subscriber_ids(session, now, limit=10 * DIGEST_BATCH)
    if not due:
        return []
    waiting = items.unmatched_ids(session, limit=10 * MATCH_BATCH, seen_after=now - MATCHING_PATIENCE)
    return _batches("match_items", waiting, MATCH_BATCH) or _batches("build_digests", due, DIGEST_BATCH)


def deliver_digests(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the digests whose sending, first or again, is due."""
    due = outgoing.due_ids(session, DigestRow, now, limit=4 * SEND_BATCH)
    return _batches("send_digests", due, SEND_BATCH)


def deliver_letters(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the letters whose sending, first or again, is due."""
    due = outgoing.due_ids(session, LetterRow, now, limit=4 * SEND_BATCH)
    return _batches("send_letters", due, SEND_BATCH)


def tell_channels(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find what the channels were not told of yet, and what is to be tried again."""
    channels.post_news(session, hold=app.settings.hold_for_review, domain=app.settings.mail_domain, now=now)
    due = outgoing.due_ids(session, PushRow, now, limit=10 * PUSH_BATCH)
    return _batches("send_pushes", due, PUSH_BATCH)


def read_bounces(app: App, session: Session, now: datetime) -> list[Intent]:
    """Have the mailbox for bounces read, where there is one."""
    return [Intent("read_mailbox", _THE_MAILBOX)] if app.settings.imap_host and app.settings.bounce_address else []


def recover_lost_work(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find what no tick above would: items left unmatched by a worker that died, or by a changed watchlist.

    Leases of dead workers need no recovery: they run out, and their sources and digests are due again.
    """
    if reopen_if_changed(session, now):
        app.live.rebuild(session)
        log.info("the watchlist changed; recent items are matched again")
    return _batches("match_items", items.unmatched_ids(session, limit=100 * MATCH_BATCH), MATCH_BATCH)


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
    return _batches("ask_hubs", hubs.due_hub_ids(session, now, limit=10 * HUB_BATCH), HUB_BATCH)


def prune(app: App, session: Session, now: datetime) -> list[Intent]:
    """Forget the history that nothing needs any more."""
    polls = sources.prune_polls(session, now - timedelta(days=app.settings.keep_polls_days))
    ticks = slots.prune_slots(session, now - timedelta(days=app.settings.keep_slots_days))
    old = letters.prune_letters(session, now - timedelta(days=app.settings.keep_letters_days))
    requests = signups.prune_signups(session, now - KEEP_SIGNUPS)
    tallies.prune_tallies(session, now - KEEP_TALLIES)
    prune_staff(session, now, keep=sign_in.KEEP_SIGN_INS)
    log.info("pruned", polls=polls, slots=ticks, letters=old, signups=requests)
    return []


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
    Tick("prune", timedelta(days=1), prune, _("forget old history")),
)


# ---- tasks: what an intent runs -----------------------------------------------------------------------------------


def poll_sources(app: App, ids: Sequence[int]) -> list[Intent]:
    """Visit the sources, several at a time; then match what is new."""
    reports = asyncio.run(_poll(app, ids))
    _tell(reports)
    if not any(report.new or report.changed for report in reports):
        return []
    with app.database.read() as session:
        return _batches("match_items", items.unmatched_ids(session, limit=100 * MATCH_BATCH), MATCH_BATCH)


def _tell(reports: Sequence[VisitReport]) -> None:
    new, changed = sum(report.new for report in reports), sum(report.changed for report in reports)
    for report in reports:
        metrics.POLLS.labels(report.outcome).inc()
    metrics.ITEMS.labels("new").inc(new)
    metrics.ITEMS.labels("changed").inc(changed)
    log.info("polled", sources=len(reports), failed=sum(report.failed for report in reports), new=new, changed=changed)
    if reports and all(report.outcome in _NO_WAY_OUT for report in reports):
        log.warning(
            "no source could be reached; `monitor doctor` says what to check, `make demo` shows the service offline"
        )


async def _poll(app: App, ids: Sequence[int]) -> list[VisitReport]:
    with app.database.read() as session:
        states = sources.load_states(session, ids)
    async with app.make_fetcher() as fetcher:
        return await visit_sources(
            app.database,
            fetcher,
            states,
            clock=app.clock,
            at_once=app.settings.poll_concurrency,
            rest=timedelta(seconds=app.settings.poll_host_gap_seconds),
            stopping=app.stopping.is_set,
        )


def visit_now(app: App, slug: str, *, actor: str) -> list[Intent]:
    """Have a source visited at once, for somebody who waits: what is to be carried out, or nothing while it must wait.

    Raises:
        NotFound: There is no such source.
        Conflict: It is paused, or has ended.
    """
    with app.database.write() as session:
        ids = sources.ask_for_visit(session, slug, lease=POLL_LEASE, actor=actor, now=app.clock())
    return [Intent("poll_sources", tuple(ids))] if ids else []


def read_articles(app: App, ids: Sequence[int]) -> list[Intent]:
    """Read the wanted pages of the sources of one host; then match their items again."""
    report = asyncio.run(_read_articles(app, ids))
    log.info("read articles", sources=len(ids), read=report.read, given_up=report.given_up)
    if not report.read:
        return []
    with app.database.read() as session:
        return _batches("match_items", items.unmatched_ids(session, limit=100 * MATCH_BATCH), MATCH_BATCH)


async def _read_articles(app: App, ids: Sequence[int]) -> ArticlesReport:
    async with app.make_fetcher() as fetcher:
        return await articles.read_articles(app.database, fetcher, ids, clock=app.clock, stopping=app.stopping.is_set)


def ask_hubs(app: App, ids: Sequence[int]) -> list[Intent]:
    """Ask each hub that is still due to push what its feed publishes."""
    asyncio.run(_ask_hubs(app, ids))
    return []


async def _ask_hubs(app: App, ids: Sequence[int]) -> None:
    async with app.make_fetcher() as fetcher:
        for hub_id in ids:
            if app.stopping.is_set():
                return
            await websub.ask_hub(app.database, fetcher, hub_id, base_url=app.settings.base_url, now=app.clock())


def match_items(app: App, ids: Sequence[int]) -> list[Intent]:
    """Match the items against the live watchlist."""
    with app.database.read() as session:
        matcher = app.live.matcher(session)
        documents = items.load_documents(session, ids)
    found = [(stored, matcher.match(stored.document)) for stored in documents]
    now = app.clock()
    with app.database.write() as session:
        for stored, topics in found:
            matches.save_matches(
                session,
                stored.item_id,
                stored.revision,
                topics,
                watchlist_version=matcher.watchlist.version,
                now=now,
            )
        regroup(session, [stored.item_id for stored, topics in found if topics], now)
    count = sum(len(topics) for _, topics in found)
    metrics.MATCHES.inc(count)
    log.info("matched", items=len(documents), matches=count)
    return []


def build_digests(app: App, ids: Sequence[int]) -> list[Intent]:
    """Build the due digest of each subscriber, with its ledger."""
    built: list[int] = []
    # Read outside of the writing transactions: reading items takes a while, and pages and polls would wait.
    with app.database.read() as session:
        own = personal_hits(session, ids, app.clock())
    for start in range(0, len(ids), BUILT_AT_ONCE):
        if app.stopping.is_set():
            break
        some = ids[start : start + BUILT_AT_ONCE]
        with app.database.write() as session:
            built += build.build_digests(
                session, some, app.clock(), app.message_id, own, hold=app.settings.hold_for_review
            )
    metrics.DIGESTS_BUILT.inc(len(built))
    return _batches("send_digests", built, SEND_BATCH)


def send_digests(app: App, ids: Sequence[int]) -> list[Intent]:
    """Send each digest that is still due, one attempt each."""
    send_mails(app, ids, DigestRow, partial(compose_digests, shelf=Shelf()))
    return []


def send_letters(app: App, ids: Sequence[int]) -> list[Intent]:
    """Send each letter that is still due, one attempt each."""
    send_mails(app, ids, LetterRow, compose_letters)
    return []


def send_pushes(app: App, ids: Sequence[int]) -> list[Intent]:
    """Tell channels what is due, one attempt each."""
    pushing.send_pushes(app, ids)
    return []


def read_mailbox(app: App, ids: Sequence[int]) -> list[Intent]:
    """Read what lies unread in the mailbox for bounces."""
    if found := empty_mailbox(app):
        log.info("mail came back", **found)
    return []


TASKS: Mapping[str, Callable[[App, Sequence[int]], list[Intent]]] = {
    "poll_sources": poll_sources,
    "read_articles": read_articles,
    "match_items": match_items,
    "ask_hubs": ask_hubs,
    "build_digests": build_digests,
    "send_digests": send_digests,
    "send_letters": send_letters,
    "send_pushes": send_pushes,
    "read_mailbox": read_mailbox,
}


def pack_polls(by_host: Sequence[Sequence[int]]) -> list[Intent]:
    """Intents that keep the sources of one host together, as one worker keeps the pause between its requests."""
    batches: list[list[int]] = []
    for ids in by_host:
        if not batches or len(batches[-1]) + len(ids) > POLL_BATCH:
            batches.append([])
        batches[-1] += ids
    return [Intent("poll_sources", tuple(batch)) for batch in batches]


def _batches(task: str, ids: Sequence[int], size: int) -> list[Intent]:
    return [Intent(task, tuple(ids[start : start + size])) for start in range(0, len(ids), size)]


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


def run_intent(app: App, intent: Intent) -> list[Intent]:
    """Carry an intent out; what follows from it."""
    try:
        with metrics.TASK_SECONDS.labels(intent.task).time():
            return TASKS[intent.task](app, intent.ids)
    except Exception as error:
        metrics.TASK_FAILURES.labels(intent.task, type(error).__name__).inc()
        raise


def drain(app: App, intents: Sequence[Intent]) -> None:
    """Carry intents out here and now, and all that follows from them."""
    left = list(intents)
    while left and not app.stopping.is_set():
        left += run_intent(app, left.pop(0))
