"""The schema goes up and down on both databases, once for however many processes, and keeps the data."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, insert, inspect, select
from sqlmodel import SQLModel

from monitor.store import migrate
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


def test_rows_of_every_step_are_kept_by_all_later_ones(database: Database, now: datetime) -> None:
    """At each step a row goes into each table that there is, and every later step meets it.

    So a table that is rebuilt keeps what points to it: to drop the old one deletes that, by cascade, unless the keys
    are off meanwhile.
    """
    steps = list(reversed(list(ScriptDirectory.from_config(migrate._config()).walk_revisions())))
    written: dict[tuple[str, int], Any] = {}
    for number, step in enumerate(steps, 1):
        with migrate._migrating(database) as connection:
            command.upgrade(migrate._config(connection), step.revision)
        written |= {(table.name, number): _fill(database, table, number, now) for table in _tables(database)}
    assert schema_version(database) == newest_version()
    assert {table for table, _ in written} == set(SQLModel.metadata.tables)
    tables = {table.name: table for table in _tables(database)}
    for (name, number), values in written.items():
        assert _row(database, tables[name], values, number).items() >= values.items(), f"{name}, step {number}"


def _tables(database: Database) -> list[Table]:
    """The tables as they are now, each behind those that it points to."""
    metadata = MetaData()
    with database.engine.connect() as connection:
        metadata.reflect(connection, only=lambda name, _: name in SQLModel.metadata.tables)
    return metadata.sorted_tables


def _fill(database: Database, table: Table, number: int, now: datetime) -> dict[str, Any]:
    """Insert a row; what it holds, as it is read."""
    columns = [column for column in table.columns if column.computed is None]
    values = {column.name: _sample(column, number, now) for column in columns}
    with database.write() as session:
        session.connection().execute(insert(table).values(values))
    found = _row(database, table, values, number)
    return {column.name: found[column.name] for column in columns}


def _row(database: Database, table: Table, values: dict[str, Any], number: int) -> dict[str, Any]:
    key = [column == values[column.name] for column in table.primary_key]
    with database.read() as session:
        return dict(session.connection().execute(select(table).where(*key)).mappings().one())


def _sample(column: Column[Any], number: int, now: datetime) -> Any:
    """A value of the column's kind; where it points to a row, the one of the same number."""
    for key in column.foreign_keys:
        return _sample(key.column, number, now)
    kinds: dict[type, Any] = {
        bool: True,
        int: number,
        float: number / 2,
        datetime: now + timedelta(hours=number),
        date: now.date() + timedelta(days=number),
        object: [number],  # JSON
        str: f"{column.name} {number}",
        bytes: bytes([number]),
    }
    return kinds[column.type.python_type]
