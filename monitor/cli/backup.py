"""``monitor backup`` and ``monitor restore``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.output import progress_bar, say
from monitor.clock import utc_now
from monitor.runners.assemble import make_database, make_folder
from monitor.settings import load_settings
from monitor.store import backup as backups
from monitor.store.transfer import Progress

KEY = "The key that signs links is not in it: keep {} as well, or the links in mails sent so far are void."


def backup(path: Annotated[Path, typer.Argument(metavar="file", help="The file to write; it must be new.")]) -> None:
    """Write everything that the database holds into one file, whichever kind it is."""
    settings = load_settings()
    database = make_database(settings)
    with table_bar() as progress:
        backups.back_up(database, path, utc_now(), progress)
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB. " + KEY.format(settings.data_dir / "secret.key"))


def restore(
    path: Annotated[Path, typer.Argument(metavar="file", help="The file that `monitor backup` wrote.")],
) -> None:
    """Put the content of a backup into the database of the settings, which must be empty; the service must not run."""
    settings = load_settings()
    make_folder(settings.data_dir)
    database = make_database(settings)
    with table_bar() as progress:
        backups.restore(path, database, utc_now(), progress)
    say(f"{path} is restored and checked. " + KEY.format(settings.data_dir / "secret.key"))


@contextmanager
def table_bar() -> Iterator[Progress]:
    """A progress bar for work that goes through the tables one after the other."""
    with progress_bar() as bar:
        task = bar.add_task("", total=None)
        yield lambda table, done, total: bar.update(task, description=table, completed=done, total=total)
