"""Transactions: nothing is lost to concurrency, and a locked or unknown database is named."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from monitor.errors import DatabaseBusy, SettingError
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.slots import prune_slots, take_slot


def test_concurrent_read_modify_write_loses_nothing(database: Database) -> None:
    with database.write() as session:
        session.connection().execute(text("CREATE TABLE counter (n INTEGER)"))
        session.connection().execute(text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(20):
            with database.write() as session:
                lock = "" if database.is_sqlite else " FOR UPDATE"
                (n,) = session.connection().execute(text(f"SELECT n FROM counter{lock}")).one()
                session.connection().execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.connection().execute(text("SELECT n FROM counter")).scalar() == 80


def test_a_database_that_cannot_hold_every_name_is_refused(postgres: Any, now: datetime) -> None:
    postgres.psql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;")
    database = Database(postgres.get_uri("ascii").replace("://", "+psycopg://"))
    with pytest.raises(SettingError, match=r"holds text as SQL_ASCII.*ENCODING 'UTF8'"):
        upgrade(database, now)
    database.close()


def test_a_transaction_that_raises_changes_nothing(database: Database, now: datetime) -> None:
    def fail_midway() -> None:
        with database.write() as session:
            take_slot(session, "poll", now, now)
            raise LookupError

    with pytest.raises(LookupError):
        fail_midway()
    with database.write() as session:
        assert take_slot(session, "poll", now, now)


def test_readers_do_not_wait_for_a_writer(database: Database, now: datetime) -> None:
    with database.write() as writing:
        take_slot(writing, "poll", now, now)
        with database.read() as reading:
            assert reading.connection().execute(text("SELECT count(*) FROM slot")).scalar() == 0


def test_a_tick_fires_once_however_many_ask(database: Database, now: datetime) -> None:
    taken: list[bool] = []
    barrier = threading.Barrier(6)

    def ask() -> None:
        barrier.wait()
        with database.write() as session:
            taken.append(take_slot(session, "poll", now, now))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]
    with database.write() as session:
        assert prune_slots(session, now + timedelta(seconds=1)) == 1
        assert take_slot(session, "poll", now, now)


def test_a_locked_file_is_a_transient_error(tmp_path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.engine.BUSY_TIMEOUT_MS", 50)
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    holder, other = Database(url), Database(url)
    upgrade(holder, now)
    with holder.write(), pytest.raises(DatabaseBusy, match="locked"), other.write():
        pass
    holder.close()
    other.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite+pysqlcipher3"])
def test_an_address_that_cannot_be_used_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(SettingError, match="write sqlite:///"):
        Database(url)
