"""What has grown old is forgotten in parts, and never what a match, a verdict or a digest refers to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from monitor.core.languages import Language
from monitor.core.nouns import Entry, Pillar, SourceSpec, Topic, Watch
from monitor.store import config, items
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.store.retention import forget_texts, prune_polls
from monitor.store.tables import ItemRow, MatchRow, PollRow, RevisionRow, SourceRow, VerdictRow

DAY = timedelta(days=1)
NAMES = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}


@pytest.fixture
def source_id(database: Database, now: datetime) -> int:
    """A source with six items, one a day, each with an earlier text; the second is matched and judged."""
    topic = Topic("norad", "security", NAMES, (Watch("norad", "any", Language.ANY, "NORAD"),), threshold=0.0)
    source = SourceSpec("news", "https://news.example/feed", "Agency", "CA", Language.EN)
    with database.write() as session:
        files = Config((Pillar("security", NAMES),), (topic,), (source,))
        config.apply(session, config.plan(session, files), actor="test", now=now)
        found = session.exec(select(SourceRow.id)).one()
        assert found
        for number in range(1, 7):
            items.insert_entries(session, found, "en", [entry(number)], now + number * DAY)
            session.add(earlier(number, now))
        session.add(
            MatchRow(
                item_id=2,
                topic_id="norad",
                source_id=found,
                score=1.0,
                worthy=True,
                evidence=[],
                item_revision=1,
                watchlist_version="1",
                news_at=now,
                matched_at=now,
            )
        )
        session.flush()
        session.add(VerdictRow(match_id=1, reviewer="reviewer", word="noise", at=now))
    return found


def earlier(number: int, now: datetime) -> RevisionRow:
    return RevisionRow(
        item_id=number,
        number=1,
        seen_at=now,
        replaced_at=now + number * DAY,
        title="Earlier",
        summary="",
        body="Earlier words",
        content_hash="0",
    )


def entry(number: int) -> Entry:
    title = f"News {number}"
    return Entry(f"key-{number}", f"https://news.example/{number}", title, body="Many words", content_hash=title)


def texts(database: Database) -> dict[int, tuple[str, str]]:
    with database.read() as session:
        return {row.id or 0: (row.title, row.body) for row in session.exec(select(ItemRow))}


def test_texts_of_what_matched_nothing_are_forgotten_in_parts(
    database: Database, source_id: int, now: datetime
) -> None:
    before = now + 4.5 * DAY
    forgotten = []
    for _ in range(4):
        with database.write() as session:
            forgotten.append(forget_texts(session, before, limit=2))
    assert forgotten == [1, 2, 0, 0], "the second item is matched and judged"
    kept = {number for number, (_, body) in texts(database).items() if body}
    assert kept == {2, 5, 6}
    assert {title for title, _ in texts(database).values()} == {f"News {number}" for number in range(1, 7)}
    with database.read() as session:
        assert sorted(session.exec(select(RevisionRow.item_id)).all()) == [2, 5, 6]
    with database.write() as session:
        assert items.insert_entries(session, source_id, "en", [entry(1)], now + 9 * DAY) == 0, "it is known again"
        assert forget_texts(session, now + 9 * DAY, limit=100) == 2, "a later run goes on behind the last"


def test_the_oldest_visits_are_forgotten_first(database: Database, source_id: int, now: datetime) -> None:
    with database.write() as session:
        for number in range(5):
            moment = now + number * DAY
            session.add(PollRow(source_id=source_id, started_at=moment, duration_ms=1, outcome="read"))
    with database.write() as session:
        assert prune_polls(session, now + 3 * DAY, limit=2) == 2
    with database.read() as session:
        left = session.exec(select(PollRow.started_at).order_by(col(PollRow.started_at))).all()
    assert left == [now + number * DAY for number in (2, 3, 4)]
