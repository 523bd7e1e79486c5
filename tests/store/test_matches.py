"""What a batch of items matched is written in a few statements, however many items there are."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select

from monitor import tasks
from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, Pillar, SourceSpec, Topic, TopicMatch, Watch
from monitor.polling.regroup import regroup
from monitor.review.verdicts import judge
from monitor.settings import Settings
from monitor.store import items, sources, watchlist
from monitor.store.engine import Database
from monitor.store.matches import Found, save_matches
from monitor.store.tables import ItemRow, MatchRow

TOPICS = ("arctic", "norad")
PLACE = Evidence("any", 1, "term", "title", 0, 4)


@pytest.fixture
def ids(database: Database, now: datetime) -> list[int]:
    """Forty items, and topics for them."""
    with database.write() as session:
        watchlist.save_pillar(session, Pillar("security", {"en": "Security"}), position=0)
        for position, name in enumerate(TOPICS):
            watchlist.save_topic(
                session, Topic(name, "security", {"en": name}, ()), position=position, actor="test", now=now
            )
            watch = Watch(name, "any", Language.ANY, name)
            watchlist.save_watch(session, watch, position=position, actor="test", now=now)
        spec = SourceSpec("ministry", "https://ministry.example/feed", "Ministry", "CA", Language.EN)
        source = sources.save_source(session, spec, actor="test", now=now)
        entries = [Entry(str(n), f"https://ministry.example/{n}", f"News {n}") for n in range(40)]
        items.insert_entries(session, source, "en", entries, now - timedelta(days=1))
        return items.unmatched_ids(session)


def found(item_id: int, *topics: str, revision: int = 1, score: float = 0.5) -> Found:
    matched = [TopicMatch(topic, score, worthy=True, evidence=(PLACE,)) for topic in topics]
    return Found(item_id, revision, matched)


def save(database: Database, version: str, at: datetime, *all_found: Found) -> None:
    with database.write() as session:
        save_matches(session, all_found, watchlist_version=version, now=at)


def rows(session: Session, item_ids: Sequence[int]) -> list[MatchRow]:
    of_items = select(MatchRow).where(col(MatchRow.item_id).in_(item_ids))
    return list(session.exec(of_items.order_by(col(MatchRow.item_id), col(MatchRow.topic_id))))


def test_each_item_of_a_batch_keeps_loses_and_gains_its_own_matches(
    database: Database, ids: list[int], now: datetime
) -> None:
    one, other, third = ids[:3]
    save(database, "1", now, found(one, "arctic", "norad"), found(other, "arctic", "norad"), found(third))
    with database.write() as session:
        judged = {row.topic_id: row.id or 0 for row in rows(session, [other])}
        judge(session, list(judged.values()), "relevant", reviewer="r@example.org", now=now)
    later = now + timedelta(hours=1)
    save(database, "2", later, found(one, "norad", score=0.9), found(other, "arctic"), found(third, "arctic"))
    with database.read() as session:
        kept = rows(session, [one, other, third])
        assert [(row.item_id, row.topic_id, row.score, row.verdict, row.lost_at) for row in kept] == [
            (one, "norad", 0.9, "", None),
            (other, "arctic", 0.5, "relevant", None),
            (other, "norad", 0.5, "relevant", later),
            (third, "arctic", 0.5, "", None),
        ]
        assert {row.topic_id: row.id for row in kept if row.item_id == other} == judged, "the very rows"
        assert [row.watchlist_version for row in kept] == ["2", "2", "1", "2"]
        assert kept[0].evidence == [
            {"watch": "any", "version": 1, "term": "term", "field": "title", "start": 0, "end": 4}
        ]
        assert (kept[3].language, kept[3].news_at, kept[3].source_id) == ("en", now - timedelta(days=1), 1)
    save(database, "3", later + timedelta(hours=1), found(other, "norad"))
    with database.read() as session:
        lost = {row.topic_id: row.lost_at for row in rows(session, [other])}
    assert lost == {"arctic": later + timedelta(hours=1), "norad": None}, "what is found again is no longer lost"


def test_an_item_edited_meanwhile_is_matched_again(database: Database, ids: list[int], now: datetime) -> None:
    with database.write() as session:
        items.revise_items(session, {ids[0]: Entry("0", "https://ministry.example/0", "Other news")}, now)
    save(database, "1", now, *(found(item_id, "norad") for item_id in ids))
    with database.read() as session:
        assert items.unmatched_ids(session) == ids[:1]
    save(database, "1", now, found(ids[0], "norad", revision=2))
    with database.read() as session:
        assert items.unmatched_ids(session) == []
        assert session.get_one(ItemRow, ids[0]).matched_revision == 2


def test_a_batch_takes_as_many_statements_as_one_item(database: Database, ids: list[int], now: datetime) -> None:
    counted: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        counted.append(statement)

    def statements(*all_found: Found) -> int:
        counted.clear()
        save(database, "1", now, *all_found)
        return len(counted)

    save(database, "1", now, *(found(item_id, "arctic") for item_id in ids))
    event.listen(database.engine, "before_cursor_execute", count)
    one = statements(found(ids[0], "norad"))
    assert statements(*(found(item_id, "norad") for item_id in ids[1:])) == one < 9


def test_two_batches_at_once_find_the_story_that_they_share(
    database: Database, ids: list[int], now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "The ministers announced that NORAD will have new radars in the Arctic, at a cost of 4 billion. " * 5
    with database.write() as session:
        told = [Entry(str(n), f"https://ministry.example/{n}", "NORAD renewed", body=text) for n in range(2)]
        items.revise_items(session, dict(zip(ids, told, strict=False)), now)
    both = threading.Barrier(2)

    def regroup_together(*arguments: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        regroup(*arguments)

    def unused() -> Any:
        raise AssertionError("matching neither polls nor mails")

    monkeypatch.setattr(tasks, "regroup", regroup_together)
    app = App(settings, "key", database, unused, unused, clock=lambda: now)
    batches = [threading.Thread(target=tasks.match_items, args=(app, [item_id])) for item_id in ids[:2]]
    for batch in batches:
        batch.start()
    for batch in batches:
        batch.join()
    with database.read() as session:
        stories = session.exec(select(ItemRow.story_id).where(col(ItemRow.id).in_(ids[:2]))).all()
    assert stories == [1, 1]
