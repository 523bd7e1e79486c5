"""Saved views for programs: filters of the match log that the holder of the key keeps under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Path, Request

from monitor.core.roles import Role
from monitor.review.views import delete_view, list_views, save_view
from monitor.web.access import Viewer, guarded_api
from monitor.web.api.review import Filter
from monitor.web.asked import RowId, app_of

router = guarded_api(Role.VIEWER, tags=["review"])

Name = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class ViewOut:
    """A view; ``query`` follows the question mark of ``/api/v1/matches?``."""

    id: int
    name: str
    query: str
    saved_at: datetime


@router.get("/views")
def views(request: Request, visitor: Viewer) -> list[ViewOut]:
    """One's views, by name."""
    with app_of(request).database.read() as session:
        rows = list_views(session, visitor.address)
        return [ViewOut(row.id or 0, row.name, row.query, row.saved_at) for row in rows]


@router.put("/views/{name}", status_code=204)
def save(request: Request, name: Name, query: Filter, visitor: Viewer) -> None:
    """Keep the filter of the query string under a name; one of that name is replaced."""
    app = app_of(request)
    with app.database.write() as session:
        save_view(session, visitor.address, name, query, now=app.clock())


@router.delete("/views/{view_id}", status_code=204)
def forget(request: Request, view_id: RowId, visitor: Viewer) -> None:
    """Forget one of one's views."""
    with app_of(request).database.write() as session:
        delete_view(session, visitor.address, view_id)
