"""Forgetting what has grown old, a part at a time, so that nobody waits long and a broken-off run goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, or_, update
from sqlmodel import Session, col, select

from monitor.store.tables import DigestPersonalRow, ItemRow, KeptRow, MatchRow, PollRow, PushRow, RevisionRow
from monitor.store.upsert import insert_or_update

_FORGOTTEN = "texts forgotten until"


def prune_polls(session: Session, before: datetime, *, limit: int) -> int:
    """Forget visits that began before a time, the oldest first; the number forgotten."""
    return _delete_some(session, PollRow, PollRow.started_at, col(PollRow.started_at) < before, limit)


def prune_pushes(session: Session, before: datetime, *, limit: int) -> int:
    """Forget what channels were told before a time, or could not be told; the number forgotten."""
    over = and_(col(PushRow.built_at) < before, col(PushRow.state).not_in(("built", "sending")))
    return _delete_some(session, PushRow, PushRow.id, over, limit)


def _delete_some(session: Session, table: Any, order: Any, which: Any, limit: int) -> int:
    some = select(table.id).where(which).order_by(order).limit(limit)
    return session.connection().execute(delete(table).where(col(table.id).in_(some))).rowcount


def forget_texts(session: Session, before: datetime, *, limit: int) -> int:
    """Empty the texts of items first seen before a time that match nothing, and drop their earlier texts.

    Titles, addresses and keys stay: an item that its feed still lists must be known again, and not taken for news. What
    matches a topic or was in somebody's digest keeps everything.

    Args:
        session: An open writing transaction.
        before: Aware UTC.
        limit: How many items to look at; the next call goes on behind them.

    Returns:
        How many items lost their text.
    """
    kept = session.get(KeptRow, _FORGOTTEN)
    seen = col(ItemRow.first_seen_at)
    wanted = and_(seen < before, seen > datetime.fromisoformat(kept.value)) if kept else seen < before
    ends = session.exec(select(ItemRow.first_seen_at).where(wanted).order_by(seen).limit(limit)).all()
    if not ends:
        return 0
    unused = and_(
        wanted,
        seen <= ends[-1],
        ~exists().where(col(MatchRow.item_id) == col(ItemRow.id)),
        ~exists().where(col(DigestPersonalRow.item_id) == col(ItemRow.id)),
    )
    connection = session.connection()
    connection.execute(delete(RevisionRow).where(col(RevisionRow.item_id).in_(select(ItemRow.id).where(unused))))
    full = or_(col(ItemRow.summary) != "", col(ItemRow.body) != "")
    emptied = connection.execute(update(ItemRow).where(unused, full).values(summary="", body="")).rowcount
    insert_or_update(session, KeptRow, [{"name": _FORGOTTEN, "value": ends[-1].isoformat()}], unique=("name",))
    return emptied
