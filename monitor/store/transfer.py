"""Moving an installation from one database to another, of either kind: verified, and resumable.

Rows go over table by table, in the order of their keys, a batch a transaction; so what a killed copy has left is whole,
and the next one goes on behind it. The source is read in one snapshot. At the end each table's rows are counted and
hashed on both sides, as values and not as a database writes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, func, insert, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from monitor.errors import Conflict, Refused
from monitor.store.archive import index_items
from monitor.store.engine import Database
from monitor.store.migrate import newest_version, schema_version, upgrade
from monitor.store.queue_schema import prepare_queue

BATCH = 1_000
_MARK = "copy"
_OWN = (_MARK, "queue_schema")
"""What ``kept`` says of a database itself, and not of the installation in it."""

Progress = Callable[[str, int, int], None]
"""Told the table, how many of its rows are over, and how many there are."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that is over: its rows, and their hash, the same on both sides."""

    table: str
    rows: int
    hash: str


def copy_database(source: Database, target: Database, now: datetime, progress: Progress) -> list[Copied]:
    """Copy every row; a copy that was broken off goes on where it was.

    Nobody may write to either database meanwhile: stop the service.

    Raises:
        Refused: The source has another schema than this release, or the target holds rows of its own.
        Conflict: The two differ at the end: somebody wrote.
        DatabaseBusy: One of them does not answer.
    """
    if (version := schema_version(source)) != newest_version():
        raise Refused(
            f"the source has schema {version}, this release {newest_version()}: run `monitor db upgrade` there"
        )
    upgrade(target, now)
    prepare_queue(target)
    with _snapshot(source) as reading:
        _begin(target, _origin(source))
        for table in SQLModel.metadata.sorted_tables:
            _copy_table(reading, target, table, progress)
        _carry_sequences(reading, source, target)
        return _verified(reading, target, progress)


def _snapshot(source: Database) -> Any:
    engine = source.engine.execution_options(reads=True)
    if not source.is_sqlite:
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    return engine.connect()


def _origin(source: Database) -> str:
    return source.engine.url.render_as_string(hide_password=True)


def _begin(target: Database, origin: str) -> None:
    """Mark the target as one that a copy goes to.

    Raises:
        Refused: It holds rows, and not of a copy from there.
    """
    with target.write() as session:
        kept = SQLModel.metadata.tables["kept"]
        marked = session.connection().execute(select(kept.c.value).where(kept.c.name == _MARK)).scalar()
        if marked == origin:
            return
        holding = [table.name for table in SQLModel.metadata.sorted_tables if _count(session.connection(), table)]
        if holding or marked:
            found = f"a copy from {marked}" if marked else f"rows in {', '.join(holding)}"
            raise Refused(f"the target holds {found}: name an empty database")
        session.connection().execute(insert(kept), [{"name": _MARK, "value": origin}])


def _copy_table(reading: Connection, target: Database, table: Table, progress: Progress) -> None:
    total = _count(reading, table)
    done = 0
    last = None
    if _has_ordered_key(table):
        with target.read() as session:
            last = _last_key(session.connection(), table)
            done = _count(session.connection(), table)
    progress(table.name, done, total)
    with closing(_batches(reading, table, last)) as batches:
        for rows in batches:
            with target.write() as session:
                _insert(session, table, rows)
            done += len(rows)
            progress(table.name, min(done, total), total)


def _has_ordered_key(table: Table) -> bool:
    """Whether both kinds of database order its keys alike: numbers yes, texts by the rules of their languages."""
    return all(isinstance(column.type, Integer) for column in table.primary_key)


def _last_key(connection: Connection, table: Table) -> tuple[Any, ...] | None:
    key = list(table.primary_key)
    row = connection.execute(select(*key).order_by(*(column.desc() for column in key)).limit(1)).first()
    return tuple(row) if row else None


def _batches(reading: Connection, table: Table, last: tuple[Any, ...] | None) -> Generator[list[dict[str, Any]]]:
    query = _own_rows(select(*_stored(table)), table)
    if last is not None:
        query = query.where(tuple_(*table.primary_key) > last)
    with reading.execution_options(yield_per=BATCH).execute(query.order_by(*table.primary_key)) as found:
        for part in found.mappings().partitions(BATCH):
            yield [dict(row) for row in part]


def _stored(table: Table) -> list[Column[Any]]:
    """The columns whose values are stored, and not worked out by the database from others."""
    return [column for column in table.columns if column.computed is None]


def _own_rows(query: Any, table: Table) -> Any:
    return query.where(table.c.name.not_in(_OWN)) if table.name == "kept" else query


def _insert(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.connection().execute(dialect.insert(table).on_conflict_do_nothing(), rows)
    if table.name == "item":
        index_items(session, [row["id"] for row in rows])


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(_own_rows(select(func.count()).select_from(table), table)).scalar_one())


def _carry_sequences(reading: Connection, source: Database, target: Database) -> None:
    """Let no id be given twice: not even that of a row which was deleted at the source."""
    with target.write() as session:
        for table in SQLModel.metadata.sorted_tables:
            if "id" in table.c and isinstance(table.c.id.type, Integer):
                last = max(_given(reading, source, table), reading.execute(select(func.max(table.c.id))).scalar() or 0)
                _continue_behind(session.connection(), target, table.name, last)


def _given(reading: Connection, source: Database, table: Table) -> int:
    if source.is_sqlite:
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return int(reading.execute(query, {"name": table.name}).scalar() or 0)
    query = text("SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:name, 'id') AS regclass))")
    return int(reading.execute(query, {"name": f'"{table.name}"'}).scalar() or 0)


def _continue_behind(connection: Connection, target: Database, table: str, last: int) -> None:
    if not target.is_sqlite:
        found = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, :used)")
        connection.execute(found, {"name": f'"{table}"', "last": max(last, 1), "used": last > 0})
    elif last:
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        connection.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), {"name": table, "last": last}
        )


# ---- verification --------------------------------------------------------------------------------------------------


def _verified(reading: Connection, target: Database, progress: Progress) -> list[Copied]:
    tables = SQLModel.metadata.sorted_tables
    with target.read() as session:
        pairs = [
            (_summed(reading, table, progress), _summed(session.connection(), table, progress)) for table in tables
        ]
    differing = [mine.table for mine, theirs in pairs if mine != theirs]
    if differing:
        remedy = "stop what writes to the source, empty the target and copy again"
        raise Conflict(f"source and target differ in {', '.join(differing)}: {remedy}")
    with target.write() as session:
        kept = SQLModel.metadata.tables["kept"]
        session.connection().execute(kept.delete().where(kept.c.name == _MARK))
    return [mine for mine, _ in pairs]


def _summed(connection: Connection, table: Table, progress: Progress) -> Copied:
    """The number of a table's rows and the sum of their hashes, which needs no order."""
    rows = total = 0
    query = _own_rows(select(*_stored(table)), table)
    for row in connection.execution_options(yield_per=BATCH).execute(query):
        written = json.dumps(list(row), default=_plain, sort_keys=True, ensure_ascii=False)
        total += int.from_bytes(hashlib.blake2b(written.encode(), digest_size=16).digest(), "big")
        rows += 1
        if rows % BATCH == 0:
            progress(f"checking {table.name}", rows, rows)
    return Copied(table.name, rows, f"{total % (1 << 128):032x}")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
