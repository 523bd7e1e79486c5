"""Bringing the schema up to date, and back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

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
    with database.write() as session:
        connection = _locked(session.connection(), database)
        if MigrationContext.configure(connection).get_current_revision() != newest_version():
            command.upgrade(_config(connection), "head")
    return copy


def downgrade(database: Database, version: str) -> None:
    """Take the schema back to an earlier version, or to ``base``, in one transaction; data of later tables is lost."""
    with database.write() as session:
        command.downgrade(_config(_locked(session.connection(), database)), version)


def _locked(connection: Connection, database: Database) -> Connection:
    if database.is_sqlite:
        # Batch migrations rebuild tables; with the keys enforced at once, dropping the old table would cascade.
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    return connection


def _copy_aside(path: Path, version: str, now: datetime) -> Path:
    copy = path.with_name(f"{path.stem}-before-upgrade-from-{version}-{now:%Y%m%dT%H%M%SZ}{path.suffix}")
    # The backup API takes a consistent copy though other processes may be writing; copying the file would not.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
