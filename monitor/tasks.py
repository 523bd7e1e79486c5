"""The tasks: the units of work. Ids go in, a transaction is made, the intents that follow come out.

A task takes each id, returns if somebody did it already, and marks it done. ``monitor.ticks`` finds what is due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import structlog

from monitor import event_loop, metrics, pushing
from monitor.app import App, Intent
from monitor.digests import build
from monitor.digests.personal import personal_hits
from monitor.digests.shelf import Shelf
from monitor.mails import compose_digests, compose_letters
from monitor.polling import articles, websub
from monitor.polling.articles import ArticlesReport
from monitor.polling.fetch import FailureKind
from monitor.polling.intake import VisitReport
from monitor.polling.regroup import regroup
from monitor.polling.visit import visit_sources
from monitor.returned import empty_mailbox
from monitor.sending import send_mails
from monitor.store import claims, items, matches, visits
from monitor.store.matches import Found
from monitor.store.one_by_one import Turn, wait_for_turn
from monitor.store.tables import DigestRow, LetterRow

log = structlog.get_logger(__name__)

POLL_BATCH = 100
POLL_LEASE = timedelta(minutes=10)
MATCH_BATCH = 100
HUB_BATCH = 50
DIGEST_BATCH = 1000
BUILT_AT_ONCE = 100
"""Digests that are built in one transaction: whoever else wants to write waits some hundredths of a second."""
SEND_BATCH = 1000
PUSH_BATCH = 100
_NO_WAY_OUT = frozenset({FailureKind.DNS, FailureKind.REFUSED, FailureKind.TIMEOUT})
THE_MAILBOX = (1,)
"""There is one mailbox; an intent is about something with a number, or the queue would see nothing to do."""


def poll_sources(app: App, ids: Sequence[int]) -> list[Intent]:
    """Visit the sources, several at a time; then match what is new."""
    reports = event_loop.run(_poll(app, ids))
    _tell(reports)
    return batches("match_items", [item_id for report in reports for item_id in report.items], MATCH_BATCH)


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
        states = visits.load_states(session, ids)
    async with app.make_fetcher() as fetcher:
        fetcher.hold(state.host for state in states)
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
        ids = claims.ask_for_visit(session, slug, lease=POLL_LEASE, actor=actor, now=app.clock())
    return [Intent("poll_sources", tuple(ids))] if ids else []


def read_articles(app: App, ids: Sequence[int]) -> list[Intent]:
    """Read the wanted pages of the sources of one host; then match their items again."""
    report = event_loop.run(_read_articles(app, ids))
    log.info("read articles", sources=len(ids), read=len(report.read), given_up=report.given_up)
    return batches("match_items", report.read, MATCH_BATCH)


async def _read_articles(app: App, ids: Sequence[int]) -> ArticlesReport:
    with app.database.read() as session:
        states = visits.load_states(session, ids)
    async with app.make_fetcher() as fetcher:
        fetcher.hold(state.host for state in states)
        return await articles.read_articles(app.database, fetcher, ids, clock=app.clock, stopping=app.stopping.is_set)


def ask_hubs(app: App, ids: Sequence[int]) -> list[Intent]:
    """Ask each hub that is still due to push what its feed publishes."""
    event_loop.run(_ask_hubs(app, ids))
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
    matched = matcher.match_all([stored.document for stored in documents])
    found = [Found(stored.item_id, stored.revision, topics) for stored, topics in zip(documents, matched, strict=True)]
    now = app.clock()
    with app.database.write() as session:
        if any(one.topics for one in found):
            # Of two batches that hold the same news, neither would see the other's before both are written.
            wait_for_turn(session, Turn.STORIES)
        matches.save_matches(session, found, watchlist_version=matcher.watchlist.version, now=now)
        regroup(session, [one.item_id for one in found if one.topics], now)
    count = sum(len(one.topics) for one in found)
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
    return batches("send_digests", built, SEND_BATCH)


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


def batches(task: str, ids: Sequence[int], size: int) -> list[Intent]:
    """Intents for ids, so many in each."""
    return [Intent(task, tuple(ids[start : start + size])) for start in range(0, len(ids), size)]


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
