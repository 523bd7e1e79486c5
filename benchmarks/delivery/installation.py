"""An installation with news and subscribers, all of whom are due a digest now, in a database of its own."""

from __future__ import annotations

import logging
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, insert, select
from sqlmodel import col

from monitor.app import App, Intent
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Entry, Pillar, SourceSpec, Topic, Watch
from monitor.delivery.smtp import Smtp
from monitor.digests.content import DigestContent
from monitor.digests.facts import facts_of_digests
from monitor.digests.sample import sample_digest
from monitor.digests.select import digest_content
from monitor.digests.shelf import Shelf
from monitor.runners.assemble import settle_in
from monitor.settings import load_settings
from monitor.store import config, items
from monitor.store.config import Config
from monitor.store.digests import addressed_digests
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.tables import DigestItemRow, DigestRow, SubscriberRow, SubscriptionRow
from monitor.tasks import DIGEST_BATCH, build_digests, drain, match_items

END = datetime(2026, 11, 23, 13, tzinfo=UTC)  # a Monday, 8 o'clock in Toronto
TOPICS, FOLLOWED, STORIES = 24, 6, 5
SETTINGS = {
    "smtp_host": "127.0.0.1",
    "smtp_security": "none",
    "public_url": "https://monitor.example.org",
    "contact": "https://monitor.example.org/contact",
    "postal_address": "1 Example Street, Ottawa",
    "log_level": "error",
}


@dataclass(frozen=True)
class Installation:
    """What is measured: ``readers`` are the ids of the subscribers."""

    app: App
    readers: Sequence[int]

    def deliver(self) -> None:
        """Build all digests and send them, by the tasks that the service runs."""
        for start in range(0, len(self.readers), DIGEST_BATCH):
            drain(self.app, [Intent("build_digests", tuple(self.readers[start : start + DIGEST_BATCH]))])

    def check(self) -> None:
        """Make sure that all is on record."""
        with self.app.database.read() as session:
            sent = select(func.count()).select_from(DigestRow).where(col(DigestRow.state) == "sent")
            assert session.connection().execute(sent).scalar() == len(self.readers)
            held = select(func.count()).select_from(DigestItemRow)
            assert session.connection().execute(held).scalar() == len(self.readers) * FOLLOWED * STORIES

    def contents(self) -> list[DigestContent]:
        """What the digests say; they are built for it, and not sent."""
        build_digests(self.app, self.readers)
        shelf = Shelf()
        with self.app.database.read() as session:
            found = addressed_digests(session, self.readers)
            facts = facts_of_digests(session, found, shelf)
        return [
            digest_content(
                facts[digest.id],
                Language(digest.reader.language),
                digest.reader.zone,
                sender=self.app.sender,
                links=self.app.links(digest.reader, digest.id),
                shelf=shelf,
            )
            for digest in found
        ]


@contextmanager
def opened(subscribers: int, port: int = 25, sessions: int = 1) -> Iterator[Installation]:
    """A new installation, for the time of its use; its mails go to a port of this machine."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        given = SETTINGS | {"data_dir": folder, "smtp_port": str(port), "smtp_connections": str(sessions)}
        settings = load_settings({f"MONITOR_{name.upper()}": value for name, value in given.items()})
        database = Database(f"sqlite:///{folder}/monitor.db")
        upgrade(database, END)
        app = App(settings, "key", database, lambda: Smtp("127.0.0.1", port, security="none"), _no_fetcher, clock=_now)
        _publish(app)
        _subscribe(database, subscribers)
        settle_in()
        yield Installation(app, range(1, subscribers + 1))
        database.close()


def _now() -> datetime:
    return END


def _no_fetcher() -> Any:
    raise AssertionError("nothing is fetched here")


def _publish(app: App) -> None:
    """Five agencies publish a story of ordinary length on each topic, all different."""
    names = {language.value: "A topic of the Roadmap" for language in READER_LANGUAGES}
    topics = [
        Topic(
            f"t{number}",
            "security" if number < TOPICS / 2 else "global",
            {language: f"{name}, number {number}" for language, name in names.items()},
            (Watch(f"t{number}", "words", Language.ANY, _word(number)),),
            threshold=0.0,
        )
        for number in range(TOPICS)
    ]
    sources = [
        SourceSpec(f"agency-{number}", f"https://example.org/{number}", f"Agency number {number}", "CA", Language.EN)
        for number in range(STORIES)
    ]
    files = Config((Pillar("security", names), Pillar("global", names)), tuple(topics), tuple(sources))
    with app.database.write() as session:
        config.apply(session, config.plan(session, files), actor="benchmark", now=END - timedelta(days=30))
        for number in range(STORIES):
            items.insert_entries(
                session, number + 1, "en", list(_entries(number)), END - timedelta(days=2, hours=number)
            )
    with app.database.read() as session:
        wanted = items.unmatched_ids(session, limit=TOPICS * STORIES)
    match_items(app, wanted)


def _word(topic: int) -> str:
    return f"subject{topic}x"


def _entries(number: int) -> Iterator[Entry]:
    """As long as the sample's stories, in words of no language: what is alike would be taken for one story."""
    model = sample_digest(Language.EN).topics[1].stories[0]
    said = len("".join(span.text for span in model.sentence))
    for topic in range(TOPICS):
        name = f"{topic}-{number}"
        chance = random.Random(name)
        summary = f"{_words(chance, said // 2)} {_word(topic)} {_words(chance, said // 2)}. {_words(chance, said)}."
        yield Entry(name, f"{model.url}/{name}", _words(chance, len(model.headline)), summary=summary)


def _words(chance: random.Random, length: int) -> str:
    words = ("".join(chance.choices("aeilnorst", k=chance.randint(2, 10))) for _ in range(length // 7 + 1))
    return " ".join(words)[:length].strip().capitalize()


def _subscribe(database: Database, subscribers: int) -> None:
    chance, since = random.Random(1), END - timedelta(days=30)
    reader = {
        "state": "active",
        "frequency": "weekly",
        "weekday": 0,
        "hour": 8,
        "zone": "America/Toronto",
        "created_at": since,
        "confirmed_at": since,
        "consent": {},
        "digested_until": END - timedelta(days=7),
        "next_digest_at": END,
    }
    rows = [
        reader
        | {"id": number, "address": f"reader{number}@example.ca", "language": chance.choice(READER_LANGUAGES).value}
        for number in range(1, subscribers + 1)
    ]
    chosen = [
        {"subscriber_id": row["id"], "topic_id": f"t{topic}"}
        for row in rows
        for topic in chance.sample(range(TOPICS), FOLLOWED)
    ]
    with database.write() as session:
        session.connection().execute(insert(SubscriberRow), rows)
        session.connection().execute(insert(SubscriptionRow), chosen)
