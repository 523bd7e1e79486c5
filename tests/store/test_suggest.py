"""What suggestions for a topic's watches are learnt from: its newest items, as reviewers say, and the newest others."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, Pillar, SourceSpec, Topic, TopicMatch, Watch
from monitor.store import items, sources, watchlist
from monitor.store import suggest as suggestions
from monitor.store.engine import Database
from monitor.store.matches import Found, save_matches
from monitor.store.suggest import suggest_phrases
from monitor.store.tables import MatchRow
from monitor.store.verdicts import set_words

TOPIC = Topic("norad", "security", {"en": "NORAD"}, (Watch("norad", "any", Language.ANY, "norad"),))
PLACE = Evidence("any", 1, "term", "title", 0, 4)
WORTHY, PASSING = True, False
RADAR, FISH = "A radar was bought.", "A fishery was opened."
KEPT = ((RADAR, WORTHY, ""), (RADAR, WORTHY, "relevant"), (RADAR, PASSING, "relevant"), (RADAR, PASSING, "starred"))
LEFT = ((FISH, WORTHY, "noise"), (FISH, PASSING, ""), (FISH, PASSING, "noise"), (FISH, None, ""), (FISH, None, ""))


@pytest.fixture
def archive(database: Database, now: datetime) -> Database:
    """Nine items in English, the topic's first, with a match of each kind, and a French one."""
    with database.write() as session:
        watchlist.save_pillar(session, Pillar("security", {"en": "Security"}), position=0)
        watchlist.save_topic(session, TOPIC, position=0, actor="test", now=now)
        spec = SourceSpec("ministry", "https://ministry.example/feed", "Ministry", "CA", Language.EN)
        source = sources.save_source(session, spec, actor="test", now=now)
        for number, (body, *_) in enumerate((*KEPT, *LEFT), 1):
            entry = Entry(f"{number}", f"https://ministry.example/{number}", f"Number {number}", body=body)
            items.insert_entries(session, source, "en", [entry], now - timedelta(hours=number))
        french = Entry("fr", "https://ministry.example/fr", "Autre", body=RADAR, language=Language.FR)
        items.insert_entries(session, source, "en", [french], now)
        found = [
            Found(number, 1, [TopicMatch("norad", 0.5, worthy=worthy, evidence=(PLACE,))])
            for number, (_, worthy, _) in enumerate((*KEPT, *LEFT, (RADAR, WORTHY, "")), 1)
            if worthy is not None
        ]
        save_matches(session, found, watchlist_version="1", now=now)
        words = {number: word for number, (_, _, word) in enumerate((*KEPT, *LEFT), 1)}
        matches = session.exec(select(MatchRow.id, MatchRow.item_id)).all()
        set_words(session, {match or 0: words.get(item, "") for match, item in matches})
    return database


def test_suggestions_come_from_worthy_matches_and_verdicts(archive: Database) -> None:
    with archive.read() as session:
        found, count = suggest_phrases(session, TOPIC, Language.EN)
        assert suggest_phrases(session, TOPIC, Language.ES) == ([], 0)
    assert count == len(KEPT)
    assert [(one.query, one.in_topic, one.elsewhere) for one in found] == [('"radar was bought"', len(KEPT), 0)]
    assert found[0].example == "Number 1"


def test_of_many_only_the_newest_are_read(archive: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "_MOST_RELEVANT", 3)
    monkeypatch.setattr(suggestions, "_IN_BATCH", 1)
    told: list[tuple[int, int]] = []
    with archive.read() as session:
        _, count = suggest_phrases(session, TOPIC, Language.EN, others=2, progress=lambda *read: told.append(read))
    assert count == 3
    assert told == [(1, 2), (2, 2)]


def test_the_newest_are_found_without_sorting_all_that_there_are(archive: Database) -> None:
    if not archive.is_sqlite:
        pytest.skip("PostgreSQL plans by the sizes of its tables: with a few rows it reads them all")
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(archive.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    with archive.read() as session:
        suggest_phrases(session, TOPIC, Language.EN)
        (others,) = (query for query in list(asked) if "NOT (EXISTS" in query[0])
        explained = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {others[0]}", others[1])
        plan = [row[3] for row in explained]
    assert "LIMIT" in others[0]
    assert "SCAN item USING INDEX ix_item_first_seen_at" in plan
    assert not any("TEMP B-TREE" in step for step in plan), plan
