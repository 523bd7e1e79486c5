"""`monitor run` as a process: it serves, two of them share the work, and it leaves cleanly when told to."""

from __future__ import annotations

import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, func, select

from monitor.core.languages import Language
from monitor.core.schedule import Frequency, Schedule
from monitor.settings import load_settings
from monitor.store.engine import Database
from monitor.store.tables import DigestRow, ItemRow, MatchRow, SlotRow, SourceRow, SubscriberRow
from monitor.subscriptions.subscribe import subscribe_confirmed

pytestmark = pytest.mark.timeout(300)  # on a busy machine; the waits below are limits, and end as soon as they may
PROGRAM = Path(__file__).with_name("service.py")
READERS = 20


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.2)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture
def start(start_program: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Starts a service on a port, which writes down the ticks that it fires."""
    return lambda port, **settings: start_program(PROGRAM, str(tmp_path / "fired"), MONITOR_PORT=str(port), **settings)


def test_two_services_on_one_file_share_the_work(
    tmp_path: Path, prepare: Any, mailbox: Any, feed_url: str, start: Any, free_ports: Callable[[], int]
) -> None:
    received, port = mailbox
    started = datetime.now(UTC)
    database: Database = prepare(tmp_path / "data", feed_url, started)
    with database.write() as session:
        for number in range(READERS):
            subscribe_confirmed(
                session,
                f"reader{number}@example.org",
                topics=[],
                language=Language.EN,
                schedule=Schedule(Frequency.DAILY, hour=7, zone="UTC"),
                consent={},
                actor="test",
                now=started,
            )
    settings = {
        "MONITOR_SMTP_HOST": "127.0.0.1",
        "MONITOR_SMTP_PORT": str(port),
        "MONITOR_SMTP_SECURITY": "none",
        "MONITOR_POLL_HOST_GAP_SECONDS": "0",
        "MONITOR_CONTACT": "https://monitor.example.org",
        "MONITOR_POSTAL_ADDRESS": "1 Example Street, Ottawa",
    }
    services = [start(free_ports(), **settings) for _ in range(2)]
    wait_for(lambda: _count(database, MatchRow) == 2, 90, "the match of both items")
    _make_everybody_due(database)
    wait_for(lambda: len(received.taken) >= READERS, 90, "the sending")
    time.sleep(3)
    for service in services:
        service.send_signal(signal.SIGTERM)
    assert [service.wait(60) for service in services] == [0, 0], (tmp_path / "0.log").read_text()

    assert set(Counter(received.taken).values()) == {1}
    with database.read() as session:
        states = session.exec(select(DigestRow.state)).all()
        slots = session.exec(select(SlotRow.job)).all()
    # The subscriber of the prepared installation was due at once: empty if that came before the poll.
    assert Counter(states) in ({"sent": READERS, "empty": 1}, {"sent": READERS + 1})
    assert len(received.taken) == Counter(states)["sent"]
    fired = (tmp_path / "fired").read_text().split()
    assert Counter(fired) == Counter(slots), "each tick fired once, in one of the two"


def _make_everybody_due(database: Database) -> None:
    """Move the items an hour back and everybody's window to end in between: today's digest is due."""
    now = datetime.now(UTC)
    boundary = now.replace(hour=7, minute=0, second=0, microsecond=0)
    boundary -= timedelta(days=1) if boundary > now else timedelta(0)
    with database.write() as session:
        connection = session.connection()
        connection.execute(update(ItemRow).values(first_seen_at=boundary - timedelta(hours=1)))
        due = {"digested_until": boundary - timedelta(days=1), "next_digest_at": boundary}
        connection.execute(update(SubscriberRow).where(col(SubscriberRow.state) == "active").values(due))


def _count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_cleanly_when_told_to(
    how: signal.Signals,
    tmp_path: Path,
    environment: dict[str, str],
    start: Any,
    prepare: Any,
    serve: Any,
    free_ports: Callable[[], int],
) -> None:
    def slowly(_base: str, _path: str) -> str:
        time.sleep(3)
        return "<rss><channel/></rss>"

    database: Database = prepare(tmp_path / "data", serve(slowly), datetime.now(UTC))
    port = free_ports()
    service = start(port)
    wait_for(lambda: answers(port), 90, "the first page")
    time.sleep(1)
    service.send_signal(how)
    assert service.wait(60) == 0, (tmp_path / "0.log").read_text()
    with database.read() as session:
        [lease] = session.exec(select(SourceRow.lease_until)).all()
    gap = timedelta(seconds=load_settings(environment).poll_host_gap_seconds)
    assert lease is None or lease <= datetime.now(UTC) + gap, "the claim ended with the visit, the host rests"
    log = (tmp_path / "0.log").read_text()
    assert "Traceback" not in log
