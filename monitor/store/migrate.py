"""Bringing the schema up to date, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from monitor.errors import Conflict
from monitor.store.engine import Database

_ADVISORY_LOCK = 0x524D  # any number will do, as long as every process of ours asks for the same one


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

    An SQLite file with an older schema is copied aside first.

    Returns:
        The path of the copy, or None where none was needed.

    Raises:
        DatabaseBusy: The database cannot be reached or is locked by another program.
    """
    current = schema_version(database)
    if current == newest_version():
        return None
    copy = _copy_aside(database.path, current, now) if database.path and current else None
    with _migrating(database) as connection:
        if MigrationContext.configure(connection).get_current_revision() != newest_version():
            command.upgrade(_config(connection), "head")
    return copy


def downgrade(database: Database, version: str) -> None:
    """Take the schema back to an earlier version, or to ``base``, in one transaction; data of later tables is lost."""
    with _migrating(database) as connection:
        command.downgrade(_config(connection), version)


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    """A transaction in which the schema may change, for one process at a time."""
    if not database.is_sqlite:
        with database.write() as session:
            connection = session.connection()
            # An index over a large table takes as long as it takes; a wait for a lock, which holds up others, does not.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
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
                if broken := connection.execute(text("PRAGMA foreign_key_check")).first():
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
