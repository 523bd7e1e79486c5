"""An item that its source leaves out is withdrawn when its page is gone too, and not before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from monitor import event_loop
from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.polling.articles import read_articles
from monitor.polling.visit import visit_sources
from monitor.store.claims import claim_for_articles
from monitor.store.engine import Database
from monitor.store.sources import save_source
from monitor.store.tables import ItemRow, RevisionRow
from monitor.store.visits import load_states

TEXT = "The text of the publication. " * 80


def feed(base: str, names: str) -> bytes:
    items = "".join(
        f"<item><guid isPermaLink='false'>{name}</guid><title>{name}</title><link>{base}/{name}</link>"
        f"<pubDate>{1 + ord(name) - ord('a')} Nov 2026 10:00 GMT</pubDate><description>{TEXT}</description></item>"
        for name in reversed(names)
    )
    return f"<rss><channel><title>News</title>{items}</channel></rss>".encode()


class Story:
    """A source whose feed and pages the test changes."""

    def __init__(self, faults: Any, new_fetcher: Any, database: Database, now: datetime) -> None:
        self.faults, self.new_fetcher, self.database, self.now = faults, new_fetcher, database, now
        self.base, self.read = faults.url("").rstrip("/"), list[int]()
        with database.write() as session:
            spec = SourceSpec("s", f"{self.base}/feed", "A", "CA", Language.EN)
            self.source_id = save_source(session, spec, actor="test", now=now)

    def visit(self, names: str) -> None:
        """Show these in the feed, visit it, and read the pages that are wanted."""
        self.now += timedelta(hours=3)
        self.faults.play("/feed", [{"body": feed(self.base, names)}])
        event_loop.run(self._visit())

    async def _visit(self) -> None:
        with self.database.read() as session:
            states = load_states(session, [self.source_id])
        async with self.new_fetcher() as fetcher:
            await visit_sources(self.database, fetcher, states, clock=lambda: self.now, at_once=1)
            with self.database.write() as session:
                claimed = claim_for_articles(session, self.now, limit=9, per_host=9, lease=timedelta(minutes=9))
            for ids in claimed.values():
                self.read += (await read_articles(self.database, fetcher, ids, clock=lambda: self.now)).read

    def item(self, name: str) -> ItemRow:
        with self.database.read() as session:
            return session.exec(select(ItemRow).where(ItemRow.key == name)).one()

    def asked_for(self, name: str) -> int:
        return sum(request.target == f"/{name}" for request in self.faults.requests)


@pytest.fixture
def story(faults: Any, new_fetcher: Any, database: Database, now: datetime) -> Story:
    return Story(faults, new_fetcher, database, now)


def test_left_out_and_gone_is_withdrawn_and_a_revision(story: Story) -> None:
    story.visit("abcdef")
    assert story.asked_for("d") == 0
    story.visit("abcef")
    found = story.item("d")
    assert (found.withdrawn_at, found.revision, found.revised_at) == (story.now, 2, story.now)
    with story.database.read() as session:
        (kept,) = session.exec(select(RevisionRow)).all()
    assert (kept.item_id, kept.number, kept.title, kept.replaced_at) == (found.id, 1, "d", story.now)
    assert found.title == "d"

    story.visit("abcef")
    assert story.asked_for("d") == 1, "it is looked up once"
    assert story.item("d").revision == 2

    story.visit("abcdef")
    assert (story.item("d").withdrawn_at, story.item("d").missed_at) == (None, None)


def test_left_out_but_still_there_is_not_withdrawn_and_keeps_its_text(story: Story) -> None:
    story.visit("abcdef")
    before = story.item("d")
    story.faults.play("/d", [{"body": b"<html><body><p>Another text</p></body></html>"}])
    story.visit("abcef")
    after = story.item("d")
    assert (after.withdrawn_at, after.revision, after.summary, after.body) == (None, 1, before.summary, before.body)
    story.visit("abcef")
    assert story.asked_for("d") == 1
    assert story.read == [], "no text was read, so nothing is to be matched"


def test_a_site_in_trouble_withdraws_nothing(story: Story) -> None:
    story.faults.play("/d", [{"status": 503}])
    story.visit("abcdef")
    story.visit("abcef")
    assert story.item("d").withdrawn_at is None
    assert story.item("d").missed_at is not None


def test_what_made_room_for_newer_ones_is_not_looked_up(story: Story) -> None:
    story.visit("abcdef")
    story.visit("cdefgh")
    assert story.asked_for("a") + story.asked_for("b") == 0
