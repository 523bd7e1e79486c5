"""What may happen to a database: a full disk, a lock that is held, a power cut, a kill in the middle of an upgrade."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event
from sqlmodel import SQLModel, func, select

from monitor.errors import DatabaseBusy
from monitor.store import engine
from monitor.store.archive import is_modelled
from monitor.store.engine import Database
from monitor.store.events import record_event
from monitor.store.migrate import newest_version, schema_version, upgrade
from monitor.store.slots import take_slot
from monitor.store.tables import EventRow, SlotRow

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ONE = timedelta(minutes=1)


def write(database: Database, moment: datetime, *, size: int = 10) -> None:
    """One transaction: a slot and an event, both or neither."""
    with database.write() as session:
        take_slot(session, "poll", moment, moment)
        detail = {"text": "x" * size}
        record_event(session, moment, actor="test", action="fired", noun="tick", noun_id="poll", detail=detail)


def counts(database: Database) -> tuple[int, int]:
    with database.read() as session:
        return (
            session.exec(select(func.count()).select_from(SlotRow)).one(),
            session.exec(select(func.count()).select_from(EventRow)).one(),
        )


@on_sqlite
def test_a_full_disk_changes_nothing_and_is_said(database: Database, now: datetime) -> None:
    """SQLite's own limit of pages gives the very error that a full disk gives."""
    write(database, now)
    limit: list[int] = []

    def fill(connection: Any, _record: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={limit[0] if limit else pages + 2}")

    database.close()
    event.listen(database.engine, "connect", fill)
    with pytest.raises(DatabaseBusy, match="disk of the database is full"):
        write(database, now + ONE, size=1_000_000)
    assert counts(database) == (1, 1), "readable, and as it was"
    limit.append(1_000_000)
    database.close()
    write(database, now + ONE, size=1_000_000)
    assert counts(database) == (2, 2), "there is room again"


HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


@pytest.fixture
def hold() -> Any:
    """Lets another process hold the lock of a file for some seconds."""
    processes: list[subprocess.Popen[str]] = []

    def hold_(path: Path, seconds: float) -> None:
        command = [sys.executable, "-c", HOLDER, str(path), str(seconds)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert processes[-1].stdout
        assert processes[-1].stdout.readline() == "held\n"

    yield hold_
    for process in processes:
        process.kill()
        process.communicate()


@on_sqlite
def test_a_lock_of_another_process_is_waited_for(database: Database, now: datetime, hold: Any) -> None:
    hold(database.path, 1.5)
    assert counts(database) == (0, 0), "readers do not wait"
    write(database, now)
    assert counts(database) == (1, 1)


def test_a_lock_that_stays_changes_nothing_and_is_said(
    migrated_file: Path, tmp_path: Path, now: datetime, hold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(migrated_file, tmp_path / "monitor.db"))
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 200)
    database = Database(f"sqlite:///{path}")
    hold(path, 30)
    with pytest.raises(DatabaseBusy, match="locked"):
        write(database, now)
    assert counts(database) == (0, 0)
    database.close()


def test_a_power_cut_leaves_the_state_before_or_after(migrated_file: Path, tmp_path: Path, now: datetime) -> None:
    """Of what was not yet on the disk, a power cut leaves any beginning: the log is cut at many places."""
    path = Path(shutil.copy(migrated_file, tmp_path / "monitor.db"))
    database = Database(f"sqlite:///{path}")
    for number in range(20):
        write(database, now + number * ONE, size=3_000)
    log = path.with_name("monitor.db-wal").read_bytes()
    base = path.read_bytes()
    chance = random.Random(39)
    found = set()
    for cut in [0, *(chance.randrange(len(log)) for _ in range(40)), len(log)]:
        found.add(_after_cut(tmp_path / f"cut-{cut}", base, log[:cut]))
    database.close()
    assert {slots for slots, _ in found} <= set(range(21))
    assert all(slots == events for slots, events in found), "no half of a transaction"
    assert {(0, 0), (20, 20)} <= found
    assert len(found) > 5


def _after_cut(folder: Path, base: bytes, log: bytes) -> tuple[int, int]:
    folder.mkdir()
    (folder / "monitor.db").write_bytes(base)
    (folder / "monitor.db-wal").write_bytes(log)
    database = Database(f"sqlite:///{folder / 'monitor.db'}")
    with database.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    state = counts(database)
    database.close()
    return state


UPGRADE = """
import os, signal, sys
from datetime import UTC, datetime
from sqlalchemy import event
from monitor.store.engine import Database
from monitor.store.migrate import upgrade

database = Database(sys.argv[1])

@event.listens_for(database.engine, "after_cursor_execute")
def die(_connection, _cursor, statement, *_):
    if sys.argv[2] in statement:
        os.kill(os.getpid(), signal.SIGKILL)

upgrade(database, datetime.now(UTC))
"""


@pytest.mark.parametrize("statement", ["CREATE TABLE item", 'UPDATE "match"', "CREATE TABLE saved_view"])
def test_an_upgrade_that_is_killed_goes_on(database_url: str, now: datetime, statement: str) -> None:
    killed = subprocess.run([sys.executable, "-c", UPGRADE, database_url, statement], check=False, timeout=60)
    assert killed.returncode == -9
    database = Database(database_url)
    assert schema_version(database) != newest_version()
    upgrade(database, now)
    with database.read() as session:
        compared = {"compare_type": True, "include_name": is_modelled}
        context = MigrationContext.configure(session.connection(), opts=compared)
        assert compare_metadata(context, SQLModel.metadata) == []
    write(database, now)
    assert counts(database) == (1, 1)
    database.close()
