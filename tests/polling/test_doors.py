"""FAULTS 54 at every door that fetches: wherever an address comes from, no connection leaves for a private one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from monitor import event_loop
from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceKind, SourceSpec
from monitor.polling.articles import read_articles
from monitor.polling.examine import examine
from monitor.polling.fetch import Fetcher
from monitor.polling.visit import probe, visit_sources
from monitor.polling.websub import ask_hub
from monitor.store import hubs
from monitor.store.engine import Database
from monitor.store.items import insert_entries
from monitor.store.sources import save_source
from monitor.store.tables import HubRow, ItemRow, SourceRow
from monitor.store.visits import load_states

METADATA = "169.254.169.254"
ADDRESSES = {
    "direct": f"http://{METADATA}/latest/",
    "private": "http://10.0.0.1/",
    "mapped": f"http://[::ffff:{METADATA}]/",
    "NAT64": "http://[64:ff9b::a9fe:a9fe]/",
    "decimal": "http://2852039166/",
    "octal": "http://0251.0376.0251.0376/",
    "rebinding": "http://innocent.example:8080/",
    "redirect": "(its own server)/away",
    "user name": f"http://public.example@{METADATA}/",
    "backslash": f"http://{METADATA}\\@public.example/",
}

_connected: list[str] = []
sys.addaudithook(lambda event, told: _connected.append(str(told[1][0])) if event == "socket.connect" else None)


async def _resolve(_host: str) -> list[str]:
    return [METADATA]


@pytest.fixture
def site(tmp_path: Path, migrated_file: Path, faults: Any) -> Any:
    faults.play("/robots.txt", [{"status": 404}])
    faults.play("/away", [{"status": 302, "Location": f"http://{METADATA}/latest/"}])
    database = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'monitor.db')}")
    yield faults, database
    database.close()


def _source(database: Database, url: str, now: datetime, kind: SourceKind = SourceKind.FEED) -> int:
    spec = SourceSpec("s", url, "A", "CA", Language.EN, kind, {"item": "li"} if kind is SourceKind.PAGE else {})
    with database.write() as session:
        return save_source(session, spec, actor="test", now=now)


def _states(database: Database, source_id: int) -> Any:
    with database.read() as session:
        return load_states(session, [source_id])


async def poll(fetcher: Fetcher, database: Database, url: str, now: datetime, _faults: Any) -> str:
    states = _states(database, _source(database, url, now))
    (report,) = await visit_sources(database, fetcher, states, clock=lambda: now, at_once=1)
    assert report.failed
    return _error(database)


async def poll_of_a_page(fetcher: Fetcher, database: Database, url: str, now: datetime, _faults: Any) -> str:
    states = _states(database, _source(database, url, now, SourceKind.PAGE))
    (report,) = await visit_sources(database, fetcher, states, clock=lambda: now, at_once=1)
    assert report.failed
    return _error(database)


def _error(database: Database) -> str:
    with database.read() as session:
        return session.exec(select(SourceRow.last_error)).one()


async def check(fetcher: Fetcher, database: Database, url: str, now: datetime, _faults: Any) -> str:
    (state,) = _states(database, _source(database, url, now))
    found = await probe(fetcher, state, now)
    assert found.failed
    return found.detail


async def preview(fetcher: Fetcher, _database: Database, url: str, now: datetime, _faults: Any) -> str:
    found = await examine(fetcher, url, now)
    assert found.offers == ()
    return found.problem


async def autodiscovery(fetcher: Fetcher, _database: Database, url: str, now: datetime, faults: Any) -> str:
    page = f'<html><link rel="alternate" type="application/rss+xml" href="{url}"></html>'
    faults.play("/page", [{"body": page.encode(), "Content-Type": "text/html"}])
    return (await examine(fetcher, faults.url("/page"), now)).problem


async def article(fetcher: Fetcher, database: Database, url: str, now: datetime, faults: Any) -> str:
    source_id = _source(database, faults.url("/feed"), now)
    with database.write() as session:
        insert_entries(session, source_id, "en", [Entry("1", url, "A title")], now)
    await read_articles(database, fetcher, [source_id], clock=lambda: now)
    with database.read() as session:
        item = session.exec(select(ItemRow)).one()
    assert item.body == ""
    return item.article_state


async def websub(fetcher: Fetcher, database: Database, url: str, now: datetime, faults: Any) -> str:
    source_id = _source(database, faults.url("/feed"), now)
    with database.write() as session:
        hubs.note_offer(session, source_id, url, faults.url("/feed"), now)
        (hub_id,) = hubs.due_hub_ids(session, now, limit=1)
    await ask_hub(database, fetcher, hub_id, base_url="https://monitor.example.org", now=now)
    with database.read() as session:
        return session.exec(select(HubRow.last_error)).one()


DOORS: list[Callable[..., Awaitable[str]]] = [
    poll,
    poll_of_a_page,
    check,
    preview,
    autodiscovery,
    article,
    websub,
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_54_no_door_leads_to_a_private_address(
    site: Any, new_fetcher: Any, now: datetime, door: Callable[..., Awaitable[str]], address: str
) -> None:
    """The site itself is on loopback, which its fetcher may visit; the private addresses are all others."""
    faults, database = site
    url = address.replace("(its own server)", faults.url("").rstrip("/"))

    async def enter() -> str:
        async with new_fetcher(resolve=_resolve) as fetcher:
            return await door(fetcher, database, url, now, faults)

    _connected.clear()
    assert event_loop.run(enter())
    assert set(_connected) <= {"127.0.0.1"}
    assert "127.0.0.1" in _connected or "away" not in url, "connections are seen"


def test_the_loopback_exception_is_off_unless_the_process_was_started_with_it(tmp_path: Path) -> None:
    """It is a setting, off by default; the addresses that pages and feeds give cannot reach it."""
    from monitor.settings import load_settings

    assert not load_settings({"MONITOR_DATA_DIR": str(tmp_path)}).poll_allow_loopback
