"""What the modules of the API have in common: pages of lists, and the kinds of what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query, Request
from pydantic import StringConstraints

from monitor.app import App
from monitor.core.paging import read_cursor

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=500, description="`following` of the page before; empty for the first page.")]
Number = Annotated[int, Path(ge=1, lt=2**31)]
Day = Annotated[date | None, Query(ge=date(1900, 1, 1), le=date(2200, 1, 1))]
Slug = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$")]
Word = Annotated[str, Query(pattern=r"^[\w-]{0,20}$")]
Short = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
File = Annotated[str, StringConstraints(max_length=2_000_000, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A page of a list; ``following`` is the cursor of the next page, None at the end."""

    rows: list[T]
    following: str | None


def place_of(cursor: str) -> tuple[datetime, int] | None:
    """The place in a list of news that a cursor stands for; None for its start.

    Raises:
        Refused: The cursor is none of ours.
    """
    if not cursor:
        return None
    news_at, row_id = read_cursor(cursor, datetime, int)
    return news_at, row_id


def app_of(request: Request) -> App:
    """The installation that a request is made to."""
    app: App = request.app.state.app
    return app
