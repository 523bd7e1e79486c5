"""The units of work. Ids go in, a transaction is made, the intents that follow come out.

A *tick* is what the schedule fires: it finds in the rows what is due, in a transaction that also holds its slot, and
answers with intents. A *task* carries an intent out: it takes each id, returns if somebody did it already, and marks
it done. Whoever dies in between leaves rows from which the next tick starts again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlmodel import Session

from monitor.clock import utc_now
from monitor.delivery.message import Envelope, build_message, message_id
from monitor.delivery.outcome import Deferred, Delivered, Outcome, Refused
from monitor.delivery.retry import next_attempt
from monitor.delivery.transport import Transport
from monitor.digests.build import MessageId, build_digest
from monitor.digests.content import Sender
from monitor.digests.personal import personal_hits
from monitor.digests.render import render_digest
from monitor.digests.select import Links, digest_content
from monitor.errors import NotFound, Permanent
from monitor.letters import Letter, render_letter
from monitor.polling import articles, notices
from monitor.polling.articles import ArticlesReport
from monitor.polling.fetch import FailureKind, Fetcher
from monitor.polling.intake import VisitReport
from monitor.polling.notices import compose_broken_sources, tell_of_broken_sources
from monitor.polling.regroup import regroup
from monitor.polling.visit import visit_sources
from monitor.settings import Settings
from monitor.staff import sign_in
from monitor.staff.letters import compose_sign_in
from monitor.store import digests, items, letters, matches, outgoing, signups, slots, sources, subscribers, tallies
from monitor.store.engine import Database
from monitor.store.letters import Draft
from monitor.store.live_watchlist import LiveWatchlist, reopen_if_changed
from monitor.store.outgoing import Mail, Withheld
from monitor.store.staff import prune_staff
from monitor.store.tables import DigestRow, LetterRow, Outgoing, SubscriberRow
from monitor.subscriptions.letters import compose
from monitor.subscriptions.links import Doors
from monitor.subscriptions.subscribe import KEEP_SIGNUPS

log = structlog.get_logger(__name__)

POLL_BATCH = 100
POLL_PER_HOST = 20
POLL_LEASE = timedelta(minutes=10)
ARTICLE_SOURCES = 3
"""Sources of one host whose pages are read under one lease: with its pauses, that is some minutes."""
MATCH_BATCH = 100
DIGEST_BATCH = 200
SEND_BATCH = 50
SEND_LEASE = timedelta(minutes=10)
_NO_WAY_OUT = frozenset({FailureKind.DNS, FailureKind.REFUSED, FailureKind.TIMEOUT})
KEEP_TALLIES = timedelta(days=2)
MATCHING_PATIENCE = timedelta(hours=1)
"""How long a due digest waits for items that have not been matched yet; after that it goes without them."""


@dataclass(frozen=True, slots=True)
class App:
    """What the tasks work with; one per process."""

    settings: Settings
    key: str
    database: Database
    make_transport: Callable[[], Transport]
    make_fetcher: Callable[[], Fetcher]
    live: LiveWatchlist = field(default_factory=LiveWatchlist)
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = utc_now

    @property
    def message_id(self) -> MessageId:
        """How a digest's Message-ID follows from its key, in the domain of this installation."""
        return partial(message_id, domain=self.settings.mail_domain)

    @property
    def sender(self) -> Sender:
        """Who mails."""
        return Sender(self.settings.organisation, self.settings.postal_address, self.settings.contact)

    @property
    def doors(self) -> Doors:
        """The addresses of this installation's pages that mails lead to."""
        return Doors(self.settings.base_url, self.key)

    def links(self, subscriber: SubscriberRow, digest_id: int | None = None) -> Links:
        """The addresses in a digest that are a reader's own; before there is one, its web copy is the first page."""
        doors = self.doors
        web = doors.digest(digest_id) if digest_id else doors.home
        return Links(manage=doors.preferences(subscriber), unsubscribe=doors.unsubscribe(subscriber), web=web)


@dataclass(frozen=True, slots=True)
class Intent:
    """A task to run over some rows."""

    task: str
    ids: tuple[int, ...]


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
    due = outgoing.due_ids(session, DigestRow, now, limit=20 * SEND_BATCH)
    return _batches("send_digests", due, SEND_BATCH)


def deliver_letters(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find the letters whose sending, first or again, is due."""
    due = outgoing.due_ids(session, LetterRow, now, limit=20 * SEND_BATCH)
    return _batches("send_letters", due, SEND_BATCH)


def recover_lost_work(app: App, session: Session, now: datetime) -> list[Intent]:
    """Find what no tick above would: items left unmatched by a worker that died, or by a changed watchlist.

    Leases of dead workers need no recovery: they run out, and their sources and digests are due again.
    """
    if reopen_if_changed(session, now):
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
    Tick("poll_due_sources", timedelta(seconds=30), poll_due_sources, "visit the sources that are due"),
    Tick("read_wanted_articles", timedelta(minutes=1), read_wanted_articles, "read the full text of new items"),
    Tick("start_due_digests", timedelta(minutes=1), start_due_digests, "build the digests that are due"),
    Tick("deliver_digests", timedelta(seconds=30), deliver_digests, "send what is built"),
    Tick("deliver_letters", timedelta(seconds=10), deliver_letters, "send confirmations and links"),
    Tick("recover_lost_work", timedelta(minutes=10), recover_lost_work, "take up what a crash left behind"),
    Tick("tell_operator", timedelta(hours=1), tell_operator, "tell the operator of broken sources"),
    Tick("prune", timedelta(days=1), prune, "forget old history"),
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
    log.info("matched", items=len(documents), matches=sum(len(topics) for _, topics in found))
    return []


def build_digests(app: App, ids: Sequence[int]) -> list[Intent]:
    """Build the due digest of each subscriber, with its ledger."""
    built = []
    # Read outside of the writing transactions: reading items takes a while, and pages and polls would wait.
    with app.database.read() as session:
        own = personal_hits(session, ids, app.clock())
    for subscriber_id in ids:
        if app.stopping.is_set():
            break
        with app.database.write() as session:
            found = own.get(subscriber_id, ())
            digest_id = build_digest(session, subscriber_id, app.clock(), app.message_id, found)
        if digest_id is not None:
            built.append(digest_id)
    return _batches("send_digests", built, SEND_BATCH)


@dataclass(frozen=True, slots=True)
class Post:
    """A mail ready for its envelope; ``unsubscribe_url`` is of digests only."""

    letter: Letter
    recipient: str
    unsubscribe_url: str = ""


def send_digests(app: App, ids: Sequence[int]) -> list[Intent]:
    """Send each digest that is still due, one attempt each, over one connection."""
    return _send(app, ids, DigestRow, compose_digest)


def send_letters(app: App, ids: Sequence[int]) -> list[Intent]:
    """Send each letter that is still due, one attempt each, over one connection."""
    return _send(app, ids, LetterRow, compose_letter)


def _send(
    app: App, ids: Sequence[int], kind: type[Mail], composer: Callable[[App, int], Post | Withheld]
) -> list[Intent]:
    transport = app.make_transport()
    try:
        for mail_id in ids:
            if app.stopping.is_set():
                break
            _send_one(app, transport, mail_id, kind, composer)
    finally:
        transport.close()
    return []


def _send_one(
    app: App, transport: Transport, mail_id: int, kind: type[Mail], composer: Callable[[App, int], Post | Withheld]
) -> None:
    with app.database.write() as session:
        row = outgoing.claim(session, kind, mail_id, app.clock(), lease=SEND_LEASE)
    if row is None:
        return
    try:
        post = composer(app, mail_id)
    except NotFound:
        return  # its reader had everything deleted a moment ago
    if isinstance(post, Withheld):
        written = {"state": "cancelled", "last_error": post.reason}
    else:
        # No transaction is open while the mail server is talked to. Killed between its answer and our commit, the
        # mail is due again when the lease ends, and goes out once more with the same Message-ID.
        outcome = _attempt(app, transport, row, post)
        written = {"subject": post.letter.subject, **after_attempt(row, outcome, app.clock())}
    with app.database.write() as session:
        outgoing.finish(session, kind, mail_id, **written)
    log.info(str(kind.__tablename__), id=mail_id, state=written["state"], attempts=row.attempts)


def compose_digest(app: App, digest_id: int) -> Post | Withheld:
    """A digest as it is to be sent now.

    Raises:
        NotFound: There is no such digest.
    """
    with app.database.read() as session:
        subscriber = subscribers.load_subscriber(session, digests.load_digest(session, digest_id).subscriber_id)
    if subscriber.state != "active":
        return Withheld(f"the subscriber is {subscriber.state}")
    return Post(letter_of(app, digest_id), subscriber.address, app.doors.unsubscribe(subscriber))


def compose_letter(app: App, letter_id: int) -> Post | Withheld:
    """A letter as it is to be sent now.

    Raises:
        NotFound: There is no such letter.
    """
    with app.database.read() as session:
        row = letters.load_letter(session, letter_id)
        draft = _draft(app, session, row)
    if isinstance(draft, Withheld):
        return draft
    return Post(render_letter(draft.template, draft.language, sender=app.sender, **draft.values), row.address)


def _draft(app: App, session: Session, row: LetterRow) -> Draft | Withheld:
    match row.kind:
        case notices.BROKEN_SOURCES:
            return compose_broken_sources(row)
        case sign_in.LETTER:
            return compose_sign_in(session, row, key=app.key, base_url=app.settings.base_url)
        case _:
            return compose(session, row, app.doors)


def letter_of(app: App, digest_id: int, *, shared: bool = False) -> Letter:
    """A stored digest as its reader sees it.

    Args:
        app: The installation.
        digest_id: Which digest.
        shared: Leave out the links with which whoever holds them acts for the reader: people pass web copies on.

    Raises:
        NotFound: There is no such digest.
    """
    with app.database.read() as session:
        digest = digests.load_digest(session, digest_id)
        subscriber = subscribers.load_subscriber(session, digest.subscriber_id)
        links = app.links(subscriber, digest_id)
        if shared:
            links = replace(links, manage=app.doors.lost_link, unsubscribe=app.doors.lost_link)
        return render_digest(digest_content(session, digest, subscriber, sender=app.sender, links=links))


def _attempt(app: App, transport: Transport, row: Outgoing, post: Post) -> Outcome:
    settings = app.settings
    envelope = Envelope(
        sender_name=settings.organisation,
        sender_address=settings.mail_from,
        recipient=post.recipient,
        message_id=row.message_id,
        date=row.built_at,
        reply_to=settings.reply_to,
        list_id=f"digests.{settings.mail_domain}" if post.unsubscribe_url else "",
        unsubscribe_url=post.unsubscribe_url,
        feedback_id=f"{row.__tablename__}:{settings.mail_domain}",
    )
    try:
        message = build_message(post.letter, envelope)
    except Permanent as error:
        return Refused(str(error), bounced=False)
    return transport.send(message, sender=settings.mail_from, recipient=post.recipient)


def after_attempt(row: Outgoing, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """What an attempt at sending leaves in the row of a digest or letter."""
    match outcome:
        case Delivered():
            return {"state": "sent", "sent_at": now, "last_error": ""}
        case Refused():
            return {"state": "failed", "last_error": outcome.detail}
        case Deferred():
            again = next_attempt(row.attempts, row.built_at, now)
            if again is None:
                return {"state": "failed", "last_error": f"given up after three days: {outcome.detail}"}
            return {"state": "built", "next_attempt_at": again, "last_error": outcome.detail}


TASKS: Mapping[str, Callable[[App, Sequence[int]], list[Intent]]] = {
    "poll_sources": poll_sources,
    "read_articles": read_articles,
    "match_items": match_items,
    "build_digests": build_digests,
    "send_digests": send_digests,
    "send_letters": send_letters,
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
        return intents


def run_intent(app: App, intent: Intent) -> list[Intent]:
    """Carry an intent out; what follows from it."""
    return TASKS[intent.task](app, intent.ids)


def drain(app: App, intents: Sequence[Intent]) -> None:
    """Carry intents out here and now, and all that follows from them."""
    left = list(intents)
    while left and not app.stopping.is_set():
        left += run_intent(app, left.pop(0))
