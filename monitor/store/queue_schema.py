"""The tables of the queue. They are Procrastinate's, which brings their schema and its migrations along.

They are no part of our own migrations: which of Procrastinate's have been applied depends on the release installed, and
a new installation begins with the whole of its present schema. The release last applied is a ``kept`` fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files

from sqlalchemy import Connection
from sqlmodel import Session

from monitor.store.engine import Database
from monitor.store.one_by_one import Turn, wait_for_turn
from monitor.store.tables import KeptRow

_KEPT = "queue_schema"

_INDEX = "CREATE INDEX monitor_dead_letters ON procrastinate_jobs (id) WHERE status = 'failed'"


def prepare_queue(database: Database) -> None:
    """Bring the queue's tables to the installed release of Procrastinate; any number of processes may do so at once.

    Nothing is done on SQLite, where there is no queue.
    """
    if database.is_sqlite:
        return
    wanted = version("procrastinate")
    with database.read() as session:
        if _applied(session) == wanted:
            return
    with database.write() as session:
        wait_for_turn(session, Turn.QUEUE_SCHEMA)
        for script in _pending(_applied(session)):
            _run(session.connection(), script)
        session.merge(KeptRow(name=_KEPT, value=wanted))


def _applied(session: Session) -> str | None:
    row = session.get(KeptRow, _KEPT)
    return row.value if row else None


def _pending(applied: str | None) -> Iterator[str]:
    """The scripts to run, in order: the whole schema, or the migrations of the releases since the applied one."""
    folder = files("procrastinate.sql")
    if applied is None:
        yield (folder / "schema.sql").read_text(encoding="utf-8")
        yield _INDEX
        return
    migrations = sorted(folder.joinpath("migrations").iterdir(), key=lambda path: path.name)
    for path in migrations:
        if path.name.endswith(".sql") and _release(path.name.split("_")[0]) > _release(applied):
            yield path.read_text(encoding="utf-8")


def _release(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


def _run(connection: Connection, script: str) -> None:
    # Without parameters, the driver sends the script as it is, however many statements it holds.
    connection.connection.cursor().execute(script)
