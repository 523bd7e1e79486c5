"""What a request asks, by its address: of which installation, and for which rows; for pages and programs alike."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Request

from monitor.app import App
from monitor.core.ids import MOST_ID
from monitor.core.paging import read_cursor

RowId = Annotated[int, Path(ge=1, le=MOST_ID)]
"""A row in a path; what can be the id of none is not found."""

Slug = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$")]
"""A topic, a watch or a source in a path; what cannot be the name of one is not found."""

Word = Annotated[str, Query(pattern=r"^[\w-]{0,20}$")]
"""One of a few words in a query."""


def app_of(request: Request) -> App:
    """The installation that a request is made to."""
    app: App = request.app.state.app
    return app


def read_words(text: str) -> str:
    """What was typed into a search field, as a database can be asked for it."""
    return text.replace("\0", "").strip()


def place_of(cursor: str) -> tuple[datetime, int] | None:
    """The place in a list of news that a cursor stands for; None for its start.

    Raises:
        Refused: The cursor is none of ours.
    """
    if not cursor:
        return None
    news_at, row_id = read_cursor(cursor, datetime, int)
    return news_at, row_id
