"""Saved views: filters of the match log that a person keeps under a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from monitor.errors import Conflict, NotFound, Refused
from monitor.review.filters import LogQuery, resolve
from monitor.store.tables import SavedViewRow
from monitor.store.upsert import insert_or_update
from monitor.texts import marked as _

_MOST = 50
_LONGEST_NAME = 60


def list_views(session: Session, owner: str) -> list[SavedViewRow]:
    """Somebody's views, by name."""
    return list(session.exec(select(SavedViewRow).where(SavedViewRow.owner == owner).order_by(SavedViewRow.name)))


def save_view(session: Session, owner: str, name: str, query: LogQuery, *, now: datetime) -> None:
    """Keep a filter under a name; one of that name is replaced.

    Raises:
        Refused: The name is empty, too long or cannot be seen, or the filter cannot be read.
        Conflict: They have too many views.
    """
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise Refused(_("Give the view a name of at most 60 characters."))
    resolve(session, query)
    if session.exec(select(func.count()).where(SavedViewRow.owner == owner)).one() >= _MOST:
        raise Conflict(_("You have 50 views. Delete one first."))
    row = {"owner": owner, "name": name, "query": query.as_query(), "saved_at": now}
    insert_or_update(session, SavedViewRow, [row], unique=("owner", "name"))


def delete_view(session: Session, owner: str, view_id: int) -> None:
    """Forget one of somebody's views.

    Raises:
        NotFound: They have no such view.
    """
    gone = delete(SavedViewRow).where(col(SavedViewRow.owner) == owner, col(SavedViewRow.id) == view_id)
    if not session.connection().execute(gone).rowcount:
        raise NotFound(_("There is no such view."))
