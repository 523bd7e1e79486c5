"""``monitor demo``: the whole service, offline, on a sample newsroom: a week of news in a few seconds.

Nothing is staged but the news and the clock: the ticks and the tasks are those of the service.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlmodel import Session, col, select

from monitor.app import App
from monitor.cli.installation import installation
from monitor.cli.output import say, track
from monitor.cli.service import serve
from monitor.clock import utc_now
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.schedule import Frequency, Schedule
from monitor.delivery.outbox import Outbox
from monitor.digests.build import build_digests
from monitor.errors import Refused
from monitor.newsroom import Newsroom
from monitor.newsroom.history import archives
from monitor.runners.assemble import make_folder
from monitor.runners.local import LocalRunner
from monitor.settings import FILE_VARIABLE, Settings, load_settings
from monitor.shipped import shipped
from monitor.store import config
from monitor.store.engine import Database
from monitor.store.imports import import_archive
from monitor.store.items import unmatched_ids
from monitor.store.matches import LoggedMatch, list_matches
from monitor.store.migrate import upgrade
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


def demo(
    *,
    once: Annotated[bool, typer.Option(help="Exit when all is shown; 0 if each step brought what it should.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="An empty folder to work in; a temporary one if left out.")
    ] = None,
) -> None:
    """Show the whole service offline: a sample newsroom is polled, matched and digested, and the page opened."""
    folder = _folder(data_dir)
    say("Roadmap Monitor, shown offline. The agencies and their news are invented, and nothing leaves this machine.\n")
    try:
        with played(folder) as app:
            say(f"\nAll of it is kept in {folder}; delete the folder when you have seen enough.")
            if not once:
                _open_browser(app.settings.base_url)
                serve(app, LocalRunner(app))
    except Unexpected as problem:
        say(f"\nThe demo did not bring what it should: {problem}. Its data is in {folder}.")
        raise typer.Exit(1) from problem


@contextmanager
def played(folder: Path) -> Iterator[App]:
    """Play the demo's steps in an empty folder, telling each; the installation and the newsroom stay open meanwhile.

    Raises:
        Unexpected: A step did not bring what it should.
    """
    settings = _settings(folder)
    window_end = utc_now().replace(minute=0, second=0, microsecond=0)
    with Newsroom(window_end) as newsroom:
        _load_config(settings, newsroom, window_end)
        with installation(settings) as app:
            clock = Clock(window_end)
            stage = Stage(replace(app, clock=clock), clock, newsroom, window_end)
            for number, step in enumerate(track(STEPS, len(STEPS), "demo"), start=1):
                first, *others = step(stage)
                say("\n".join([f"{number}. {first}", *(f"     {line}" for line in others)]))
            yield app


# ---- the steps: each does its part, checks what came of it, and tells it -------------------------------------------


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


def _folder(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="roadmap-monitor-demo-"))
    if wanted.exists() and any(wanted.iterdir()):
        raise Refused(f"{wanted} is not empty; the demo wants a folder of its own")
    return wanted.resolve()


def _settings(folder: Path) -> Settings:
    """The shipped settings, whatever else is set on this machine: the demo touches no database and sends no mail."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return load_settings(
        {
            FILE_VARIABLE: str(shipped("config", "settings.toml")),
            "MONITOR_DATA_DIR": str(folder),
            "MONITOR_PORT": str(port),
            "MONITOR_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "MONITOR_ORGANISATION": "Roadmap Monitor (demo)",
            "MONITOR_CONTACT": "demo@example.org",
            "MONITOR_POSTAL_ADDRESS": "1 Sample Street, Ottawa",
            "MONITOR_POLL_ALLOW_LOOPBACK": "true",
            "MONITOR_POLL_HOST_GAP_SECONDS": "0.05",
            "MONITOR_LOG_LEVEL": "error",
        }
    )


def _load_config(settings: Settings, newsroom: Newsroom, now: datetime) -> None:
    """Fill the new database with the shipped topics and the newsroom's sources, so that the first start adds none."""
    make_folder(settings.data_dir)
    database = Database(settings.database)
    upgrade(database, now)
    wanted = replace(config.read_config(shipped("config")), sources=newsroom.sources)
    with database.write() as session:
        config.apply(session, config.plan(session, wanted), actor="demo", now=now - timedelta(days=7))
    database.close()


def _open_browser(url: str) -> None:
    """Show the page to whoever sits before a screen; a text browser would take the terminal away."""
    screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.stdout.isatty() and screen:
        threading.Timer(1.5, webbrowser.open, (url,)).start()
