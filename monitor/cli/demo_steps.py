"""The steps of ``monitor demo``: each does its part, checks what came of it, and tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from monitor.app import App
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.schedule import Frequency, Schedule
from monitor.delivery.outbox import Outbox
from monitor.digests.build import build_digests
from monitor.newsroom import Newsroom
from monitor.newsroom.history import archives
from monitor.store import config
from monitor.store.imports import import_archive
from monitor.store.items import unmatched_ids
from monitor.store.matches import LoggedMatch, list_matches
from monitor.store.sources import list_sources
from monitor.store.tables import PollRow, RevisionRow
from monitor.subscriptions.subscribe import subscribe_confirmed
from monitor.tasks import drain
from monitor.ticks import TICKS, run_tick

_ZONE = "America/Toronto"
_LEAST_FOUND = 0.9
"""The share of what the newsroom published on the Roadmap that must be found; of what it did not, nothing may be."""


class Unexpected(Exception):
    """A step of the demo did not bring what it should; its text says which and what."""


@dataclass(slots=True)
class Clock:
    """The demo's clock; it is set, and does not run."""

    now: datetime

    def __call__(self) -> datetime:
        """The time that it was set to, aware UTC."""
        return self.now


@dataclass(frozen=True, slots=True)
class Stage:
    """What the steps work with; ``window_end`` is when the digests of the week end, aware UTC."""

    app: App
    clock: Clock
    newsroom: Newsroom
    window_end: datetime

    def fire(self, name: str, at: datetime) -> None:
        """Set the clock, fire a tick of the schedule and carry out all that follows from it."""
        self.clock.now = at
        tick = next(tick for tick in TICKS if tick.name == name)
        drain(self.app, run_tick(self.app, tick, at))


def _introduce(stage: Stage) -> Iterator[str]:
    with stage.app.database.read() as session:
        stored = config.stored_config(session)
    watches = sum(len(topic.watches) for topic in stored.topics)
    _expect(len(stored.sources) == len(stage.newsroom.sources), "the newsroom's sources were not taken in")
    yield f"A sample newsroom is open at {stage.newsroom.url} with {len(stored.sources)} sources in three languages."
    yield f"The shipped watchlist looks for {len(stored.topics)} topics with {watches} watches."


def _subscribe(stage: Stage) -> Iterator[str]:
    stage.clock.now = stage.window_end - timedelta(days=3)
    local = stage.window_end.astimezone(ZoneInfo(_ZONE))
    schedule = Schedule(Frequency.WEEKLY, local.weekday(), local.hour, _ZONE)
    for language in READER_LANGUAGES:
        with stage.app.database.write() as session:
            _add_subscriber(session, stage, _address(language), language, schedule)
    weekday = local.strftime("%A")
    yield f"Three people subscribe to a weekly digest, {weekday}s at {local.hour}:00 in {_ZONE}, each in a language."


def _add_subscriber(session: Session, stage: Stage, address: str, language: Language, schedule: Schedule) -> None:
    subscriber_id = subscribe_confirmed(
        session,
        address,
        topics=(),
        language=language,
        schedule=schedule,
        consent={"how": "invented for the demo"},
        actor="demo",
        now=stage.clock(),
    )
    build_digests(session, [subscriber_id], stage.clock(), stage.app.message_id)


def _first_visit(stage: Stage) -> Iterator[str]:
    at = stage.window_end - timedelta(days=2)
    stage.fire("poll_due_sources", at)
    visits = _visits(stage, at)
    with stage.app.database.read() as session:
        failing = {row.slug: row for row in list_sources(session) if row.failures}
    working = len(visits) - len(failing)
    new = sum(visit.new_items for visit in visits)
    if unplanned := failing.keys() - stage.newsroom.troubled:
        raise Unexpected(f"the source {min(unplanned)} was not read: {failing[min(unplanned)].last_error}")
    _expect(failing.keys() == stage.newsroom.troubled, "a source that does not work counts as read")
    _expect(new > 0, "the first visit found no item")
    yield f"First visit, two days back by the demo's clock: {new} items from {working} sources. Not read, and why:"
    for row in failing.values():
        yield f"{row.agency}: {row.last_error}"


def _second_visit(stage: Stage) -> Iterator[str]:
    stage.newsroom.edit()
    at = stage.window_end - timedelta(hours=1)
    stage.fire("poll_due_sources", at)
    visits = _visits(stage, at)
    outcomes = Counter(visit.outcome for visit in visits)
    new, changed = sum(visit.new_items for visit in visits), sum(visit.changed_items for visit in visits)
    with stage.app.database.read() as session:
        revisions = session.exec(select(RevisionRow.title)).all()
    _expect(new > 0, "the news of the day was not found")
    _expect(len(revisions) == changed > 0, "the corrected release left no revision")
    yield f"The newsroom corrects a release and publishes news of the day. Second visit: {new} new, {changed} changed."
    yield f"{outcomes['unchanged']} sources answered that nothing has changed (304); no item came twice."
    yield f"Kept as it was before the correction: “{revisions[0]}”"


def _match(stage: Stage) -> Iterator[str]:
    with stage.app.database.read() as session:
        found = list_matches(session, limit=1000)
    worthy = {(*_release_of(match), match.topic) for match in found if match.worthy}
    wanted, near = stage.newsroom.about, stage.newsroom.near
    if fooled := worthy & near:
        raise Unexpected("a near miss counts as news: {1} of {0}, as {2}".format(*min(fooled)))
    seen = len(wanted & worthy)
    _expect(seen >= _LEAST_FOUND * len(wanted), f"only {seen} of {len(wanted)} matches were found")
    topics = len({topic for *_, topic in worthy})
    yield f"Matching: {len(worthy)} matches worth a digest, in {topics} topics; {len(found) - len(worthy)} in passing."
    yield f"Of {len(near)} near misses (a Santa tracker, a “political climate”, volunteers “who” …) none got in."


def _send(stage: Stage) -> Iterator[str]:
    stage.fire("start_due_digests", stage.window_end)
    settings = stage.app.settings
    mails = {mail.recipient: mail for mail in Outbox(settings.outbox_dir).list()}
    missing = [language for language in READER_LANGUAGES if _address(language) not in mails]
    _expect(not missing, f"no digest was written in {', '.join(missing)}")
    yield f"The week is over: {len(mails)} digests are built and delivered into the outbox. No mail server is needed."
    for language in READER_LANGUAGES:
        mail = mails[_address(language)]
        copy = settings.data_dir / f"digest-{language.value}.html"
        copy.write_text(mail.html, encoding="utf-8")
        yield f"{mail.subject}"
        yield f"    mail:    {mail.path}"
        yield f"    to read: {copy}"


def _take_in_history(stage: Stage) -> Iterator[str]:
    offices = {source.slug: source for source in stage.newsroom.sources}
    new = sum(
        import_archive(stage.app.database, file, offices[slug], stage.window_end).new
        for slug, file in archives(stage.window_end).items()
    )
    stage.fire("recover_lost_work", stage.window_end)
    with stage.app.database.read() as session:
        waiting = unmatched_ids(session, limit=1)
    _expect(new > 0 and not waiting, "the archive was not taken in")
    yield f"Half a year of earlier releases is taken in as an archive: {new} items, of which no subscriber is sent any."


STEPS: Sequence[Callable[[Stage], Iterator[str]]] = (
    _introduce,
    _subscribe,
    _first_visit,
    _second_visit,
    _match,
    _send,
    _take_in_history,
)


# ---- what they need ------------------------------------------------------------------------------------------------


def _expect(fact: bool, otherwise: str) -> None:  # noqa: FBT001 - a private assertion
    if not fact:
        raise Unexpected(otherwise)


def _address(language: Language) -> str:
    return f"reader-{language.value}@example.org"


def _visits(stage: Stage, at: datetime) -> Sequence[PollRow]:
    # The clock stands still while a visit takes its time: by the rows, it began before it.
    since = at - timedelta(minutes=1)
    with stage.app.database.read() as session:
        return session.exec(select(PollRow).where(col(PollRow.started_at) >= since)).all()


def _release_of(match: LoggedMatch) -> tuple[str, str]:
    return match.document.source, match.url.rpartition("/")[2].removesuffix(".html")
