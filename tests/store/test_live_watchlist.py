"""The live watchlist: compiled in the background after a change, swapped whole, by one thread for all who ask."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from monitor.core.languages import Language
from monitor.core.nouns import Document, Pillar, Topic, Watch
from monitor.errors import QueryError
from monitor.store import live_watchlist, watchlist
from monitor.store.engine import Database
from monitor.store.live_watchlist import LiveWatchlist
from monitor.store.tables import WatchRow

TOPIC = Topic("norad", "security", {"en": "NORAD"}, (), threshold=0.0)
DOCUMENT = Document("NORAD and a radar", language=Language.EN)


@pytest.fixture
def watched(database: Database, now: datetime) -> Database:
    with database.write() as session:
        watchlist.save_pillar(session, Pillar("security", {"en": "Security"}), position=0)
        watchlist.save_topic(session, TOPIC, position=0, actor="test", now=now)
    save(database, "norad", now)
    return database


def save(database: Database, query: str, at: datetime) -> None:
    with database.write() as session:
        watchlist.save_watch(session, Watch("norad", "en", Language.EN, query), position=0, actor="test", now=at)


def found(live: LiveWatchlist, database: Database) -> list[str]:
    with database.read() as session:
        return [evidence.term for match in live.matcher(session).match(DOCUMENT) for evidence in match.evidence]


@contextmanager
def slow_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, list[Any]]]:
    """Holds every compilation back until the event is set, and notes each."""
    go, begun, real = threading.Event(), [], live_watchlist.compile_matcher

    def held(topics: Any, fingerprint: str) -> Any:
        begun.append(fingerprint)
        assert go.wait(10)
        return real(topics, fingerprint)

    monkeypatch.setattr(live_watchlist, "compile_matcher", held)
    yield go, begun
    go.set()


def test_a_change_is_seen_by_the_next_match(watched: Database, now: datetime) -> None:
    live = LiveWatchlist()
    assert found(live, watched) == ["norad"]
    with watched.read() as session:
        before = live.matcher(session)
        assert live.matcher(session) is before, "nothing changed: nothing is compiled"
    save(watched, "radar", now + timedelta(seconds=1))
    assert found(live, watched) == ["radar"]
    assert [match.topic for match in before.match(DOCUMENT)] == ["norad"], "who holds the last one has a whole one"
    with watched.read() as session:
        assert live.matcher(session).watchlist.version != before.watchlist.version


def test_a_rebuild_does_not_wait_and_all_share_it(
    watched: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveWatchlist()
    found(live, watched)
    save(watched, "radar", now + timedelta(seconds=1))
    with slow_compiler(monkeypatch) as (go, begun), watched.read() as session:
        live.rebuild(session)
        live.rebuild(session)
        with ThreadPoolExecutor(3) as pool:
            waiting = [pool.submit(found, live, watched) for _ in range(3)]
            go.set()
            assert [one.result(10) for one in waiting] == [["radar"]] * 3
        live.rebuild(session)
    assert len(begun) == 1


def test_a_watchlist_that_cannot_be_compiled_is_tried_again(watched: Database, now: datetime) -> None:
    live = LiveWatchlist()
    with watched.write() as session:
        session.exec(select(WatchRow)).one().query = "norad AND ("
    for _ in range(2):
        with pytest.raises(QueryError, match="norad/en"):
            found(live, watched)
    with watched.write() as session:
        session.exec(select(WatchRow)).one().query = "radar"
    assert found(live, watched) == ["radar"]
