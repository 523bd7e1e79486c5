"""The schema goes up and down on both databases, once for however many processes, and keeps the data."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from monitor.store.archive import is_modelled
from monitor.store.engine import Database
from monitor.store.migrate import downgrade, newest_version, schema_version, upgrade
from monitor.store.slots import take_slot


@pytest.fixture
def database(database_url: str):
    database = Database(database_url)
    yield database
    database.close()


def test_up_down_and_up_again(database: Database, now: datetime) -> None:
    assert schema_version(database) is None
    upgrade(database, now)
    assert schema_version(database) == newest_version()
    downgrade(database, "base")
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    upgrade(database, now)
    assert schema_version(database) == newest_version()


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database, now: datetime) -> None:
    upgrade(database, now)
    with database.read() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"compare_type": True, "include_name": is_modelled}
        )
        assert compare_metadata(context, SQLModel.metadata) == []


def test_many_processes_may_upgrade_at_once(database_url: str, now: datetime) -> None:
    databases = [Database(database_url) for _ in range(4)]
    failures: list[BaseException] = []

    def run(database: Database) -> None:
        try:
            upgrade(database, now)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert schema_version(databases[0]) == newest_version()
    for database in databases:
        database.close()


def test_an_upgrade_that_fails_leaves_the_schema_as_it_was(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr("alembic.operations.Operations.create_index", fail)
    monkeypatch.setattr("alembic.operations.BatchOperations.create_index", fail)
    with pytest.raises(RuntimeError):
        upgrade(database, now)
    assert inspect(database.engine).get_table_names() in ([], ["alembic_version"])


def test_an_older_sqlite_file_is_copied_aside_first(tmp_path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'monitor.db'}")
    upgrade(database, now)
    with database.write() as session:
        take_slot(session, "poll", now, now)
    monkeypatch.setattr("monitor.store.migrate.newest_version", lambda: "9999")
    monkeypatch.setattr("monitor.store.migrate.command.upgrade", lambda *_: None)
    copy = upgrade(database, now + timedelta(days=1))
    assert copy is not None
    with Database(f"sqlite:///{copy}").write() as session:
        assert not take_slot(session, "poll", now, now), "the copy holds the rows"
    database.close()


def test_a_rebuilt_table_keeps_what_points_to_it(database: Database, now: datetime) -> None:
    """To drop the old table deletes, by cascade, what points to it, unless the keys are off meanwhile."""
    upgrade(database, now)
    downgrade(database, "0002")
    rows = {
        "source": "slug, url, host, agency, country, language, kind, last_verified, note, applied_hash, state, "
        "permanent_url_count, next_poll_at, interval_seconds, failures, health, last_error, added_at, told_count",
        "item": "source_id, key, url, title, summary, body, language, first_seen_at, revised_at, content_hash, "
        "fingerprint, revision, matched_revision, article_state, article_hash, canonical_url",
        "pillar": "id, position, applied_hash",
        "topic": "id, pillar_id, position, threshold, needs_neighbours, active, applied_hash",
        '"match"': "item_id, topic_id, score, worthy, item_revision, watchlist_version, matched_at",
        "verdict": "match_id, reviewer, word, note, at",
    }
    with database.write() as session:
        for table, columns in rows.items():
            values = ", ".join(map(_sample, columns.split(", ")))
            session.connection().execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"))
    upgrade(database, now)
    with database.read() as session:
        found = session.connection().execute(
            text('SELECT source_id, news_at FROM "match" JOIN verdict ON match_id = 1')
        )
        assert [(source, str(news)[:10]) for source, news in found] == [(1, "2026-11-23")]


_NUMBERS = ("_id", "position", "revision", "count", "failures", "seconds", "threshold", "score")


def _sample(column: str) -> str:
    if column in {"active", "worthy", "needs_neighbours"}:
        return "true"
    if column in {"id", "pillar_id", "topic_id"}:
        return "'x'"
    if column.endswith("_at") or column == "at":
        return "'2026-11-23 12:00:00+00:00'"
    return "1" if column.endswith(_NUMBERS) else f"'{column}'"
