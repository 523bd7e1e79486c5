"""Four years of a real feed, state after state through HTTP: nothing missed, nothing doubled, edits are revisions."""

from __future__ import annotations

import asyncio
import html
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import func, select

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.polling.fetch import Fetcher, FetchLimits
from monitor.polling.visit import visit_sources
from monitor.shipped import shipped
from monitor.store import items, live_watchlist, matches, sources, visits
from monitor.store.config import read_config
from monitor.store.engine import Database
from monitor.store.tables import ItemRow, MatchRow, PillarRow, RevisionRow, TopicRow

STATES = Path(__file__).parents[3] / "shared" / "corpus" / "feeds" / "whitehouse_replay"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not STATES.is_dir(), reason="the captured feeds are not beside the checkout"),
    pytest.mark.timeout(600),
]

_GUID = re.compile(rb"<guid[^>]*>(.*?)</guid>", re.DOTALL)


@dataclass
class _Replay:
    """A feed that is moved from state to state."""

    url: str = ""
    body: bytes = b""


@pytest.fixture
def replay(serve_http: Callable[..., str]) -> _Replay:
    replay = _Replay()
    content = {"Content-Type": "application/rss+xml; charset=UTF-8"}
    replay.url = f"{serve_http(lambda _asked, _body: (200, content, replay.body))}/feed"
    return replay


def _states() -> list[tuple[datetime, bytes]]:
    paths = sorted(STATES.glob("*.xml"))
    return [(datetime.strptime(path.stem, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), path.read_bytes()) for path in paths]


def _at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


async def _poll_through(database: Database, replay: _Replay, source_id: int) -> tuple[int, int]:
    new = changed = 0
    async with Fetcher(FetchLimits(allow_loopback=True, host_gap_seconds=0)) as fetcher:
        for moment, body in _states():
            replay.body = body
            with database.read() as session:
                (source,) = visits.load_states(session, [source_id])
            (report,) = await visit_sources(database, fetcher, [source], clock=_at(moment), at_once=1)
            assert report.outcome in {"read", "unchanged"}
            new, changed = new + report.new, changed + report.changed
    return new, changed


def _match_all(database: Database, now: datetime) -> None:
    matcher = live_watchlist.compile_matcher(read_config(shipped("config")).topics)
    with database.read() as session:
        ids = items.unmatched_ids(session, limit=100_000)
    for start in range(0, len(ids), 200):
        with database.write() as session:
            found = [
                matches.Found(stored.item_id, stored.revision, matcher.match(stored.document))
                for stored in items.load_documents(session, ids[start : start + 200])
            ]
            matches.save_matches(session, found, watchlist_version=matcher.watchlist.version, now=now)


def _count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_every_item_of_the_feed_is_stored_once(
    tmp_path: Path, migrated_file: Path, replay: _Replay, now: datetime
) -> None:
    database = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path)}")
    spec = SourceSpec("wh", replay.url, "The White House", "US", Language.EN)
    with database.write() as session:
        source_id = sources.save_source(session, spec, actor="test", now=now)
        for topic in read_config(shipped("config")).topics:
            session.merge(PillarRow(id=topic.pillar, position=0, names={}))
            session.flush()
            row = TopicRow(
                id=topic.id, pillar_id=topic.pillar, position=0, names={}, threshold=0.5, needs_neighbours=False
            )
            session.add(row)
    keys = {html.unescape(guid.decode().strip()) for _, body in _states() for guid in _GUID.findall(body)}

    new, changed = asyncio.run(_poll_through(database, replay, source_id))
    assert new == _count(database, ItemRow) == len(keys)
    assert changed == _count(database, RevisionRow) > 0

    _match_all(database, now)
    matched = _count(database, MatchRow)
    assert matched > 0
    again, _ = asyncio.run(_poll_through(database, replay, source_id))
    _match_all(database, now)
    assert (again, _count(database, ItemRow), _count(database, MatchRow)) == (0, len(keys), matched)
    database.close()
