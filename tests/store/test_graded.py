"""What reviewers said of matches becomes labels: the latest word of each, with what the watches find now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from monitor.core.languages import Language
from monitor.core.nouns import Entry, Pillar, SourceSpec, Topic, Watch
from monitor.errors import Refused
from monitor.matching.fit import fit
from monitor.matching.score import read_score_model
from monitor.store import items, matches, sources, watchlist
from monitor.store.engine import Database
from monitor.store.graded import judged_matches
from monitor.store.live_watchlist import compile_matcher
from monitor.store.tables import MatchRow, VerdictRow

TOPIC = Topic("norad", "security", {"en": "NORAD"}, (Watch("norad", "en", Language.EN, "norad"),), threshold=0.0)
MATCHER = compile_matcher((TOPIC,))


@pytest.fixture
def judged(database: Database, now: datetime) -> Database:
    """Items about NORAD: the even are called relevant, the odd are noise, the last was thought over twice."""
    with database.write() as session:
        watchlist.save_pillar(session, Pillar("security", {"en": "Security"}), position=0)
        watchlist.save_topic(session, TOPIC, position=0, actor="test", now=now)
        spec = SourceSpec("ministry", "https://ministry.example/feed", "Ministry", "CA", Language.EN)
        source = sources.save_source(session, spec, actor="test", now=now)
        entries = [entry(number) for number in range(60)]
        items.insert_entries(session, source, "en", entries, now - timedelta(days=1))
        for stored in items.load_documents(session, items.unmatched_ids(session, limit=100)):
            found = matches.Found(stored.item_id, stored.revision, MATCHER.match(stored.document))
            matches.save_matches(session, [found], watchlist_version="1", now=now)
    judge(database, now, ["relevant" if number % 2 == 0 else "noise" for number in range(59)] + ["relevant"])
    judge(database, now, ["noise", "starred"])
    return database


def entry(number: int) -> Entry:
    title = f"NORAD flies patrol {number}" if number % 2 == 0 else f"Biography {number}"
    body = "Canada announced a radar." if number % 2 == 0 else "She served as clerk at NORAD in her career."
    return Entry(str(number), f"https://ministry.example/{number}", title, body=body, language=Language.EN)


def judge(database: Database, now: datetime, words: list[str]) -> None:
    with database.write() as session:
        for number, word in enumerate(words, 1):
            session.add(VerdictRow(match_id=number, reviewer="r@example.org", word=word, note=f"note {word}", at=now))


def test_the_latest_word_of_each_match_counts(judged: Database) -> None:
    with judged.read() as session:
        rows = list(judged_matches(session, MATCHER))
    assert len(rows) == 60
    assert [row.label.relevant for row in rows[:4]] == [False, True, True, False], "noise, starred, relevant, noise"
    assert rows[0].label.reason == "note noise"
    assert rows[2].label.url == "https://ministry.example/2"
    assert [evidence.field for evidence in rows[2].evidence] == ["title"]


def test_the_evidence_is_what_the_watches_find_now(judged: Database) -> None:
    changed = compile_matcher((replace(TOPIC, watches=(Watch("norad", "en", Language.EN, "biography"),)),))
    with judged.read() as session:
        rows = list(judged_matches(session, changed))
    assert [bool(row.evidence) for row in rows[:4]] == [False, True, False, True]


def test_topics_that_are_not_watched_any_more_are_left_out(judged: Database) -> None:
    other = compile_matcher((replace(TOPIC, id="arctic", watches=(Watch("arctic", "en", Language.EN, "arctic"),)),))
    with judged.read() as session:
        assert list(judged_matches(session, other)) == []


def test_a_verdict_without_a_word_is_none(judged: Database, now: datetime) -> None:
    with judged.write() as session:
        for match in session.exec(select(MatchRow)).all():
            session.add(VerdictRow(match_id=match.id or 0, reviewer="r@example.org", word="", note="later", at=now))
    with judged.read() as session:
        assert list(judged_matches(session, MATCHER))[2].label.reason == "note relevant"


def test_the_score_is_fitted_on_verdicts(judged: Database, now: datetime) -> None:
    with judged.read() as session:
        text = fit(judged_matches(session, MATCHER), MATCHER.model.word_lists, now.date())
    model = read_score_model(text, "fitted")
    assert model.topics.keys() == {"norad"}
    assert model.weights["title"].weight > 0


def test_too_few_verdicts_fit_nothing(database: Database, now: datetime) -> None:
    with database.read() as session, pytest.raises(Refused, match="too few"):
        fit(judged_matches(session, MATCHER), MATCHER.model.word_lists, now.date())
