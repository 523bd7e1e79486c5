"""The engine and its two kinds of transaction.

SQLite runs with WAL, a busy time-out, foreign keys, and ``BEGIN IMMEDIATE`` for every transaction that may
write: with deferred transactions 111 of 160 concurrent increments were lost silently, with immediate ones none.
Readers begin deferred, so that a page never waits for a poll. ``synchronous=FULL``: a digest that was marked as
sent must still be marked after a power cut, or it would go twice.

PostgreSQL is used so that a pooler may stand in front that hands connections on between transactions: nothing is set
for a session. Each transaction begins by setting its own limits: how long it may wait for a lock, run one statement,
or sit idle, so that a process that hangs holds nobody up for ever.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from monitor.errors import DatabaseBusy, SettingError

BUSY_TIMEOUT_MS = 30_000

WORKING = {"lock_timeout": 20_000, "statement_timeout": 120_000, "idle_in_transaction_session_timeout": 300_000}
"""How long a transaction may wait for a lock, run a statement and sit idle on PostgreSQL: milliseconds, 0 for ever.

Another set is given with the execution option ``limits``.
"""


class Database:
    """A database and its transactions.

    Args:
        url: An SQLAlchemy address, ``sqlite:///file`` or ``postgresql+psycopg://…``.
        password: The password of a server, where the address holds none.
        connections: How many connections to a server are held at most.
        pooler: The address is that of a transaction pooler: nothing is prepared on a connection.

    Raises:
        SettingError: The address cannot be understood or names another kind of database; when it is first used, the
            database does not hold text as UTF-8.
    """

    def __init__(self, url: str, *, password: str = "", connections: int = 10, pooler: bool = False) -> None:
        self.engine = _create_engine(url, password, connections, pooler=pooler)
        self._reading = self.engine.execution_options(reads=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database, or None for a server or a database in memory."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; it never waits for a writer."""
        with translated(), Session(self._reading) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block, or rolls back when the block raises.

        Raises:
            DatabaseBusy: The database stayed locked, is full or went away; nothing was changed.
        """
        with translated(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection()  # the lock is taken here, not at the first statement
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _create_engine(url: str, password: str, connections: int, *, pooler: bool) -> Engine:
    try:
        address = make_url(url)
        kind = address.get_backend_name()
    except ArgumentError as error:
        raise SettingError("settings", "database_url", _without_password(url), _DATABASE_REMEDY) from error
    if kind == "sqlite":
        return _create_sqlite_engine(url)
    if kind == "postgresql":
        if password and not address.password:
            address = address.set(password=password)
        return _create_postgresql_engine(address, connections, pooler=pooler)
    raise SettingError("settings", "database_url", _without_password(url), _DATABASE_REMEDY)


_DATABASE_REMEDY = "write sqlite:///path/to/monitor.db or postgresql+psycopg://user:password@host/name"


def _without_password(url: str) -> str:
    return re.sub(r":[^:@/]+@", ":***@", url)


def _create_postgresql_engine(address: URL, connections: int, *, pooler: bool) -> Engine:
    engine = create_engine(
        address,
        # Errors name the statement; its values, addresses among them, stay out of the logs.
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=connections,
        max_overflow=0,
        pool_recycle=1800,
        connect_args={"prepare_threshold": None} if pooler else {},
    )
    # First of all that is done on a new connection: SQLAlchemy asks it for text, and would stumble over bytes.
    event.listen(engine, "connect", partial(_need_utf8, address), insert=True)
    event.listen(engine, "begin", _limit_postgresql)
    return engine


def _need_utf8(address: URL, connection: Any, _record: Any) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        remedy = (
            f"the database holds text as {encoding}, and names and news need UTF8; name another one, created with "
            "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
        )
        raise SettingError("settings", "database_url", address.render_as_string(), remedy)


def _limit_postgresql(connection: Connection) -> None:
    limits = connection.get_execution_options().get("limits", WORKING)
    settings = ", ".join(f"set_config('{name}', '{milliseconds}', true)" for name, milliseconds in limits.items())
    connection.exec_driver_sql(f"SELECT {settings}")


def _create_sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transaction handling begins deferred and late: switched off, see _begin_sqlite.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "synchronous=FULL",
    ):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own knows the letters of ASCII alone: whoever looks for "Élections" would not find it.
    connection.create_function("lower", 1, lambda text: text and text.lower(), deterministic=True)


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def translated() -> Iterator[None]:
    """Let the block raise ``DatabaseBusy`` where the database does not answer, in the place of the driver's errors."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise DatabaseBusy(_told(error)) from error
        raise
    except PoolTimeout as error:
        raise DatabaseBusy(f"all connections to the database are in use: {error}") from error


_DISK_FULL = "53100"


def _told(error: DBAPIError) -> str:
    if (
        getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL"
        or getattr(error.orig, "sqlstate", "") == _DISK_FULL
    ):
        return f"the disk of the database is full; nothing was changed: make room there ({error.orig})"
    return f"the database did not answer: {error.orig}"
