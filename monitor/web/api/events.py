"""The audit trail for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from monitor.core.paging import page_of, read_cursor
from monitor.core.roles import Role
from monitor.store.events import StoredEvent, audit_trail
from monitor.web.access import guarded_api
from monitor.web.api.parts import Cursor, Limit, Listed
from monitor.web.asked import Word, app_of

router = guarded_api(Role.OPERATOR, tags=["operator"])

Which = Annotated[str, Query(max_length=254, pattern=r"^[^\x00]*$")]


@router.get("/events")
def events(
    request: Request, *, noun: Word = "", noun_id: Which = "", actor: Which = "", cursor: Cursor = "", limit: Limit = 50
) -> Listed[StoredEvent]:
    """Who changed a watch, a source, a subscriber or the staff, and how; the latest first."""
    before = read_cursor(cursor, int)[0] if cursor else None
    with app_of(request).database.read() as session:
        rows = audit_trail(session, noun=noun, noun_id=noun_id, actor=actor, before_id=before, limit=limit + 1)
    shown = page_of(rows, limit, lambda event: (event.id,))
    return Listed(list(shown.rows), shown.following or None)
