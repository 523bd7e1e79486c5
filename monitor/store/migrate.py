"""Bringing the schema up to date, and back."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from monitor.errors import Conflict
from monitor.store.engine import Database, translated

_ADVISORY_LOCK = 0x524D  # any number will do, as long as every process of ours asks for the same one
_LOCK_NOT_AVAILABLE = "55P03"
_ASK_AGAIN = (1, 2, 4, 8, 15, 15, 15)
"""Seconds between the attempts of a step that does not get its lock."""
_NO_LIMITS = {"lock_timeout": 0, "statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
_STEP_LIMITS = {**_NO_LIMITS, "lock_timeout": 2_000}
"""A change takes as long as it takes; a wait for a lock, which holds up others, does not."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest_version() -> str:
    """The version of the schema that this code wants."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError("the package holds no migrations; it is not installed as it was built")
    return head


def schema_version(database: Database) -> str | None:
    """The version of the schema that the database has, or None where it is empty or not there yet."""
    if database.path and not database.path.exists():
        return None
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def upgrade(database: Database, now: datetime) -> Path | None:
    """Bring the schema to the newest version; any number of processes may do so at once.

    An SQLite file with an older schema is copied aside first. PostgreSQL is worked on by others meanwhile: each step is
    a transaction, or goes on where it was broken off, and none waits long for a lock.

    Returns:
        The path of the copy, or None where none was needed.

    Raises:
        DatabaseBusy: The database cannot be reached or is locked by another program.
    """
    current = schema_version(database)
    if current == newest_version():
        return None
    copy = _copy_aside(database.path, current, now) if database.path and current else None
    with translated(), _alone(database):
        _patiently(database, lambda connection: command.upgrade(_config(connection), "head"))
    return copy


def downgrade(database: Database, version: str) -> None:
    """Take the schema back to an earlier version, or to ``base``; data of later tables is lost."""
    with translated(), _alone(database):
        _patiently(database, lambda connection: command.downgrade(_config(connection), version))


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """One process at a time changes the schema of a PostgreSQL; those of an SQLite file wait for its lock."""
    if database.is_sqlite:
        yield
        return
    # In a transaction of its own, which a pooler leaves on one connection, and which sits idle while an index is built.
    with database.engine.execution_options(limits=_NO_LIMITS).begin() as connection:
        # Without parameters: a statement with some keeps its snapshot, and the building of an index would wait for it.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        yield


def _patiently(database: Database, change: Callable[[Connection], None]) -> None:
    """Change the schema; on PostgreSQL, a lock that is not to be had soon is asked for again a little later.

    While a step waits for a table, everybody else waits behind it: so it does not wait for long.
    """
    for pause in _ASK_AGAIN:
        try:
            return _change(database, change)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            time.sleep(pause)
    return _change(database, change)


def _change(database: Database, change: Callable[[Connection], None]) -> None:
    with _migrating(database) as connection:
        change(connection)


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    """A connection over which the schema may change: on SQLite in one transaction, on PostgreSQL one for each step."""
    if not database.is_sqlite:
        with database.engine.execution_options(limits=_STEP_LIMITS).connect() as connection:
            yield connection
        return
    # Batch migrations rebuild tables, and to drop the old one deletes, by cascade, what points to it: even with
    # deferred keys all verdicts would go with a rebuilt match table. Keys are switched off, which only works outside
    # of a transaction, and checked at the end.
    with database.engine.connect() as connection:
        keys: Any = connection.connection.driver_connection
        keys.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise Conflict(
                        f"after the migration, a row of {broken[0]} points to one of {broken[2]} that is not there"
                    )
        finally:
            keys.execute("PRAGMA foreign_keys=ON")


def _copy_aside(path: Path, version: str, now: datetime) -> Path:
    copy = path.with_name(f"{path.stem}-before-upgrade-from-{version}-{now:%Y%m%dT%H%M%SZ}{path.suffix}")
    # The backup API takes a consistent copy though other processes may be writing; copying the file would not.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
