"""A backtest tells what a query would have found, what would change, and how far it got."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceSpec, Topic, Watch
from monitor.errors import NotFound, QueryError
from monitor.store import items, sources
from monitor.store.backtest import Backtest, Bounds, backtest
from monitor.store.engine import Database
from monitor.store.live_watchlist import compile_matcher

EN, FR = Language.EN, Language.FR
TOPIC = Topic(
    "norad",
    "security-defence",
    {"en": "NORAD"},
    (Watch("norad", "en", EN, "norad"), Watch("norad", "fr", FR, '"défense aérospatiale"')),
    threshold=0.0,
)
MATCHER = compile_matcher((TOPIC,))


@pytest.fixture
def archive(database: Database, now: datetime) -> Database:
    """Ten weeks, each with an item on NORAD, every other with one on radar, and one in French a fortnight ago."""
    spec = SourceSpec("ministry", "https://ministry.example/feed", "Ministry", "CA", EN)
    with database.write() as session:
        source = sources.save_source(session, spec, actor="test", now=now)
        for week in range(10):
            found = [entry(f"NORAD week {week}", "NORAD flew a patrol.")]
            if week % 2 == 0:
                found.append(entry(f"Radar week {week}", "A radar was bought."))
            if week == 2:
                found.append(entry("La défense aérospatiale", "Un radar.", FR))
            items.insert_entries(session, source, "en", found, now - timedelta(weeks=week))
    return database


def entry(title: str, body: str, language: Language = EN) -> Entry:
    return Entry(title, f"https://ministry.example/{title}", title, body=body, language=language)


def run(database: Database, now: datetime, query: str, language: Language = EN, **changes) -> Backtest:
    since = now - timedelta(weeks=changes.pop("weeks", 52))
    with database.read() as session:
        return backtest(session, MATCHER, query, language, since, **changes)


def test_it_counts_by_week_and_shows_the_newest_hits(archive: Database, now: datetime) -> None:
    found = run(archive, now, "radars", sample=2)
    assert (found.hits, found.items, found.candidates, found.worthy) == (5, 16, 5, None)
    assert [week.hits for week in found.weeks] == [0, 1] * 5
    assert found.weeks[-1].monday == now.date()
    assert found.per_digest == 0.5
    assert [sample.document.title for sample in found.sample] == ["Radar week 0", "Radar week 2"]
    assert found.sample[0].url == "https://ministry.example/Radar week 0"
    assert [evidence.term for evidence in found.sample[0].finding.evidence] == ["radars", "radars"]
    assert (found.stopped_after, found.comparison, found.precision) == ("", None, None)


def test_only_items_since_then_and_in_the_language_are_read(archive: Database, now: datetime) -> None:
    assert run(archive, now, "radar", weeks=3).hits == 2
    assert run(archive, now, "radar", FR).hits == 1
    assert run(archive, now, "radar", Language.ANY).hits == 6


def test_against_a_topic_it_tells_gains_and_losses(archive: Database, now: datetime) -> None:
    change = run(archive, now, 'radar OR "week 3"', topic="norad").comparison
    assert change is not None
    assert (change.compared_with, change.gained, change.lost) == ("norad", 5, 9)
    assert change.gained_sample[0].document.title == "Radar week 0"
    assert "NORAD week 3" not in [sample.document.title for sample in change.lost_sample]


def test_against_a_watch_it_tells_gains_and_losses(archive: Database, now: datetime) -> None:
    change = run(archive, now, "radar", FR, topic="norad", key="fr").comparison
    assert change is not None
    assert (change.compared_with, change.gained, change.lost) == ("norad/fr", 0, 0), "both find the one French item"


def test_with_a_topic_hits_are_scored(archive: Database, now: datetime) -> None:
    found = run(archive, now, "radar", topic="norad")
    assert found.worthy == found.hits == 5, "every score reaches a threshold of zero"
    assert all(sample.finding.score is not None for sample in found.sample)


def test_verdicts_give_the_precision(archive: Database, now: datetime) -> None:
    hits = [sample.item_id for sample in run(archive, now, "radar").sample]
    found = run(archive, now, "radar", verdicts={hits[0]: True, hits[1]: False, hits[2]: True, 99_999: False})
    assert (found.judged, found.relevant) == (3, 2)
    assert found.precision == pytest.approx(2 / 3)


def test_it_stops_at_its_bounds_and_says_so(archive: Database, now: datetime) -> None:
    found = run(archive, now, "norad", bounds=Bounds(items=4))
    assert (found.stopped_after, found.hits, found.candidates) == ("items", 4, 4)
    assert found.reached == now - timedelta(weeks=3)
    assert len(found.weeks) == 4
    assert found.items == 7


def test_it_stops_when_its_time_is_up(archive: Database, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.backtest._BATCH", 3)
    ticks: Iterator[float] = iter(range(100))
    found = run(archive, now, "norad", bounds=Bounds(seconds=1.5), clock=lambda: next(ticks))
    assert (found.stopped_after, found.candidates) == ("seconds", 6)


def test_it_tells_how_far_it_is(archive: Database, now: datetime) -> None:
    seen: list[tuple[int, int]] = []
    run(archive, now, "country:CA", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(15, 15)], "all items in English"


def test_an_empty_archive_has_no_weeks(database: Database, now: datetime) -> None:
    found = run(database, now, "norad", topic="norad")
    assert (found.items, found.hits, found.weeks, found.per_digest) == (0, 0, (), 0)


def test_a_wrong_query_or_topic_is_refused(archive: Database, now: datetime) -> None:
    with pytest.raises(QueryError, match=r"^This parenthesis is not closed") as raised:
        run(archive, now, "norad AND (radar", topic="norad")
    assert raised.value.position == 10
    with pytest.raises(NotFound, match="the topics are norad"):
        run(archive, now, "norad", topic="weather")
