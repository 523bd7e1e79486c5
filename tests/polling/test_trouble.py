"""What becomes of a source that cannot be read: how it is called, when it ends, and when the operator is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from monitor import event_loop
from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.polling.notices import compose_broken_sources, tell_of_broken_sources
from monitor.polling.visit import visit_sources
from monitor.store.engine import Database
from monitor.store.sources import save_source
from monitor.store.tables import LetterRow, SourceRow
from monitor.store.visits import load_states

FEED = b"<rss><channel><title>News</title><item><guid>1</guid><title>One</title><link>https://a.example/1</link></item></channel></rss>"
DAY = timedelta(days=1)


class Trouble:
    """A source whose answers the test chooses."""

    def __init__(self, faults: Any, new_fetcher: Any, database: Database, now: datetime) -> None:
        self.faults, self.new_fetcher, self.database, self.now = faults, new_fetcher, database, now
        with database.write() as session:
            spec = SourceSpec("ministry", faults.url("/feed"), "Ministry of Snow", "CA", Language.EN)
            self.source_id = save_source(session, spec, actor="test", now=now)

    def visit(self, **answer: Any) -> SourceRow:
        """Visit the source once, which answers so; the source after it."""
        self.now += timedelta(minutes=30)
        self.faults.play("/feed", [answer])
        event_loop.run(self._visit())
        with self.database.read() as session:
            return session.exec(select(SourceRow)).one()

    async def _visit(self) -> None:
        with self.database.read() as session:
            states = load_states(session, [self.source_id])
        async with self.new_fetcher() as fetcher:
            await visit_sources(self.database, fetcher, states, clock=lambda: self.now, at_once=1)

    def told(self, *, after: timedelta) -> int:
        """Let time pass, and tell the operator; of how many sources."""
        self.now += after
        with self.database.write() as session:
            return tell_of_broken_sources(session, "boss@example.org", domain="example.org", now=self.now)


@pytest.fixture
def trouble(faults: Any, new_fetcher: Any, database: Database, now: datetime) -> Trouble:
    return Trouble(faults, new_fetcher, database, now)


def test_11_a_failure_is_shaky_and_the_third_in_a_row_has_a_name(trouble: Trouble) -> None:
    said = [trouble.visit(status=404).health for _ in range(3)]
    assert said == ["shaky", "shaky", "not_found"]
    well = trouble.visit(status=200, body=FEED)
    assert (well.health, well.failures, well.last_error) == ("well", 0, "")
    assert trouble.visit(status=403).health == "shaky", "it is counted anew"


def test_10_an_address_that_is_gone_ends_the_source(trouble: Trouble) -> None:
    gone = trouble.visit(status=410)
    assert gone.state == "ended"
    assert "ended for good" in gone.last_error


def test_the_operator_is_told_after_a_day_and_ever_more_rarely(trouble: Trouble) -> None:
    trouble.visit(status=200, body=FEED)
    for _ in range(3):
        trouble.visit(status=403)
    assert trouble.told(after=timedelta(hours=1)) == 0, "it may heal"
    pauses = (DAY, DAY, 2 * DAY, 6 * DAY, DAY, 13 * DAY, DAY, 29 * DAY, DAY)
    assert [trouble.told(after=pause) for pause in pauses] == [1, 0, 1, 0, 1, 0, 1, 0, 1]
    with trouble.database.read() as session:
        letter = session.exec(select(LetterRow).order_by("id")).first()
        assert letter is not None
        draft = compose_broken_sources(letter)
    assert letter.address == "boss@example.org"
    assert draft.values["title"] == "Ministry of Snow cannot be read"
    assert "(HTTP 403); not since" in draft.values["paragraphs"][0]
    trouble.visit(status=200, body=FEED)
    assert trouble.told(after=DAY) == 0
    for _ in range(3):
        trouble.visit(status=403)
    assert trouble.told(after=DAY) == 1, "what breaks anew is told of anew"
