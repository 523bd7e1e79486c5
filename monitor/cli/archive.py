"""``monitor import`` and ``monitor reindex``: the archive of items that backtests read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from monitor.app import App
from monitor.cli.installation import installation
from monitor.cli.options import language_option
from monitor.cli.output import errors, progress_bar, say, track
from monitor.core.languages import Language
from monitor.errors import Refused
from monitor.store import items
from monitor.store.archive import reindex
from monitor.store.imports import Imported, archive_source, import_archive
from monitor.tasks import MATCH_BATCH, match_items

_BAD_LINES_SHOWN = 20


def import_(
    file: Annotated[str, typer.Argument(help="JSON lines, plain or gzip; - for standard input.")],
    *,
    source: Annotated[
        str, typer.Option(help="The source to file the releases under; named after the file if left out.")
    ] = "",
    language: Annotated[
        Language,
        language_option(text="en, fr or es: of releases that name none."),
    ] = Language.EN,
    agency: Annotated[str, typer.Option(help="Who published them; the source's name if left out.")] = "",
    country: Annotated[str, typer.Option(help="The agency's country, as CA or US; INT for none.")] = "INT",
) -> None:
    """Load an archive of past releases as items, to try watches on; docs/backtest.md tells the format."""
    slug = source or re.sub(r"[^a-z0-9]+", "-", Path(file).name.split(".")[0].lower()).strip("-") or "archive"
    spec = archive_source(slug, agency=agency or slug, country=country, language=language)
    with installation() as opened, _opened(file) as (stream, size), progress_bar() as bar:
        task = bar.add_task("reading, in kB", total=size // 1000 if size else None)

        def progress(_lines: int) -> None:
            bar.update(task, completed=stream.tell() // 1000 if size else None)

        try:
            done = import_archive(opened.database, stream, spec, opened.clock(), progress)
        finally:
            bar.remove_task(task)
        matched = _match(opened)
    _tell(done, slug, matched)


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size in bytes; 0 for standard input."""
    if file == "-":
        yield sys.stdin.buffer, 0
        return
    path = Path(file)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from error
    with stream:
        yield stream, path.stat().st_size


def _match(opened: App) -> int:
    """Match all items that wait for it; how many."""
    with opened.database.read() as session:
        waiting = items.unmatched_ids(session, limit=sys.maxsize)
    starts = range(0, len(waiting), MATCH_BATCH)
    for start in track(starts, len(starts), f"matching, {MATCH_BATCH} items a step"):
        match_items(opened, waiting[start : start + MATCH_BATCH])
    return len(waiting)


def _tell(done: Imported, slug: str, matched: int) -> None:
    for number, problem in done.bad[:_BAD_LINES_SHOWN]:
        errors.print(f"line {number} skipped: {problem}", markup=False, highlight=False, soft_wrap=True)
    if len(done.bad) > _BAD_LINES_SHOWN:
        errors.print(f"and {len(done.bad) - _BAD_LINES_SHOWN} more lines", highlight=False)
    say(
        f"{done.lines} releases read: {done.new} new under the source {slug}, {done.known} known already, "
        f"{len(done.bad)} skipped. {matched} items matched."
    )


def reindex_() -> None:
    """Build the full-text index anew, after a restore that left it out or a change of how words are read."""
    with installation() as opened, opened.database.write() as session, progress_bar() as bar:
        task = bar.add_task("indexing")
        count = reindex(session, lambda done, total: bar.update(task, completed=done, total=total))
    say(f"{count} items are in the index.")
