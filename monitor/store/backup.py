"""Backups: one SQLite file, of whichever kind the database is, and the way back from it into either kind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from monitor.errors import Refused
from monitor.store.engine import Database
from monitor.store.migrate import newest_version, upgrade
from monitor.store.transfer import Progress, copy_database


def back_up(database: Database, path: Path, now: datetime, progress: Progress) -> None:
    """Write everything that the database holds at this moment into a new file; the service may run meanwhile.

    The file is for its owner alone.

    Raises:
        Refused: The file is there already, or the database has another schema than this release.
        DatabaseBusy: The database does not answer.
    """
    if path.exists():
        raise Refused(f"{path} is there already: name a new file")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # of a backup that was killed
    if database.path:
        _copy_file(database.path, part)
    else:
        _make_private(part)
        with _opened(part) as target:
            copy_database(database, target, now, progress)
    part.rename(path)


def restore(path: Path, database: Database, now: datetime, progress: Progress) -> None:
    """Put the content of a backup into an empty database; one of an earlier release is upgraded on the way.

    The backup stays as it is.

    Raises:
        Refused: The file is no backup, is of a later release, or the database is not empty.
        DatabaseBusy: The database does not answer.
    """
    _check(path)
    part = path.with_name(f"{path.name}.restoring")
    part.unlink(missing_ok=True)
    try:
        _copy_file(path, part)
        with _opened(part) as source:
            upgrade(source, now)
            copy_database(source, database, now, progress)
    finally:
        for leftover in path.parent.glob(f"{path.name}.restoring*"):
            leftover.unlink()


def _check(path: Path) -> None:
    if not path.is_file():
        raise Refused(f"{path}: there is no such file")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            found = file.execute("PRAGMA integrity_check").fetchone()[0]
            version = file.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise Refused(f"{path} is no backup: {error}") from error
    if found != "ok":
        raise Refused(f"{path} is damaged: {found}")
    if version > newest_version():
        raise Refused(f"{path} has schema {version}, this release knows up to {newest_version()}")


@contextmanager
def _opened(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.close()


def _make_private(path: Path) -> None:
    """A file for its owner alone, to be filled: it will hold addresses."""
    path.touch(mode=0o600)


def _copy_file(path: Path, target: Path) -> None:
    _make_private(target)
    # The backup API takes a consistent copy though other processes may be writing; copying the file would not.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
