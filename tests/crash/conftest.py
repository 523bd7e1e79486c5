"""A mailbox, a feed and a small installation for processes that are killed, stopped and started."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from monitor.core.languages import Language
from monitor.core.nouns import Pillar, SourceSpec, Topic, Watch
from monitor.core.schedule import Frequency, Schedule
from monitor.store import config
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.subscriptions.subscribe import subscribe_confirmed

NAMES = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}
FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>News</title><link>{base}</link>
<item><guid>1</guid><title>Ministers announce NORAD radar sites</title><link>{base}/1</link></item>
<item><guid>2</guid><title>Continental defence receives new funding</title><link>{base}/2</link></item>
<item><guid>3</guid><title>A park is opened</title><link>{base}/3</link></item>
</channel></rss>"""
PAGES = {
    "/1": "<html lang='en'><main><h1>Ministers announce NORAD radar sites</h1><p>Four of them.</p></main></html>",
    "/2": "<html lang='en'><main><h1>Funding</h1><p>The ministers gave NORAD new money today.</p></main></html>",
    "/3": "<html lang='en'><main><h1>A park is opened</h1><p>It has trees.</p></main></html>",
}


class _Mailbox:
    """What the mail server took."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(message_from_bytes(envelope.content)["Message-ID"])
        return "250 taken"


@pytest.fixture
def mailbox(free_port: int) -> Iterator[tuple[_Mailbox, int]]:
    mailbox = _Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port)
    controller.start()
    yield mailbox, free_port
    controller.stop()


@pytest.fixture
def feed_url(serve: Callable[..., str]) -> str:
    """The address of a feed with two items about the topic, one of them by its page alone, and one that is not."""
    return serve(lambda base, path: FEED.format(base=base) if path == "/feed" else PAGES.get(path, ""))


@pytest.fixture
def prepare(migrated_file: Path) -> Callable[[Path, str, datetime], Database]:
    """Makes an installation with one topic, one source and one subscriber, confirmed two days ago."""

    def make(folder: Path, feed_url: str, now: datetime) -> Database:
        folder.mkdir()
        database = Database(f"sqlite:///{shutil.copy(migrated_file, folder)}")
        _fill(database, feed_url, now)
        return database

    return make


def _fill(database: Database, feed_url: str, now: datetime) -> None:
    topic = Topic("norad", "security", NAMES, (Watch("norad", "any", Language.ANY, "NORAD"),), threshold=0.0)
    source = SourceSpec("news", feed_url, "Agency", "CA", Language.EN)
    with database.write() as session:
        changes = config.plan(session, Config((Pillar("security", NAMES),), (topic,), (source,)))
        config.apply(session, changes, actor="test", now=now)
        subscribe_confirmed(
            session,
            "reader@example.org",
            topics=[],
            language=Language.EN,
            schedule=Schedule(Frequency.DAILY, hour=7, zone="UTC"),
            consent={},
            actor="test",
            now=now - timedelta(days=2),
        )
