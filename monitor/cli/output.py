"""What the commands print: a table for people, JSON for programs, a progress bar where somebody watches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

T = TypeVar("T")

console = Console()
errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one document, instead of a table.")]


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print a listing.

    Args:
        rows: The lines; the keys of the first one are the columns.
        as_json: As JSON instead of a table.
        empty: What to say, and to do next, where there are none.
    """
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        console.print(empty)
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    console.print(table)


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(json.dumps(value, default=_json_value, ensure_ascii=False, indent=2))


def say(text: str) -> None:
    """Print a line in which brackets are only brackets."""
    console.print(escape(text), highlight=False, soft_wrap=True)


def track(things: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the things with a progress bar on a terminal, and without one elsewhere."""
    with progress_bar() as bar:
        yield from bar.track(things, total=total, description=what)


def progress_bar() -> Progress:
    """A progress bar: the name of the work, what is done of how much, the time left; or nothing without a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
