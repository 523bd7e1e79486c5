"""The match log as a file to take home, for the pages and for programs alike."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.responses import StreamingResponse

from monitor.app import App
from monitor.review.exports import MEDIA_TYPES, Format, write_log
from monitor.review.filters import LogQuery
from monitor.review.log import log_page, whole_log


def log_file(app: App, query: LogQuery, kind: Format) -> StreamingResponse:
    """Exactly what the filter leaves, as a file that is written while it is read.

    Raises:
        Refused: The filter cannot be read; that is told before the file begins.
    """
    with app.database.read() as session:
        log_page(session, query, limit=1)
    headers = {"Content-Disposition": f'attachment; filename="matches.{kind.value}"', "Cache-Control": "no-store"}
    return StreamingResponse(_written(app, query, kind), media_type=MEDIA_TYPES[kind], headers=headers)


def _written(app: App, query: LogQuery, kind: Format) -> Iterator[str]:
    with app.database.read() as session:
        yield from write_log(whole_log(session, query), kind, base_url=app.settings.base_url, now=app.clock())
