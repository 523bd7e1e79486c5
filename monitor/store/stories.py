"""Stories: which items tell the same news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from monitor.store.tables import ItemRow, MatchRow, StoryRow

MOST_COMPARED = 2_000
"""Items that are compared at once, the newest: their texts are read for it."""


def items_around(
    session: Session, ids: Sequence[int], *, reach: timedelta, seen_after: datetime, characters: int
) -> list[Any]:
    """The matched items published within ``reach`` of the named ones, themselves included, newest first.

    The rows have id, url, title, text, language, at, canonical_url, twins and story_id.

    Args:
        session: An open transaction.
        ids: The items that have just been matched.
        reach: How far apart in time two items may tell the same news.
        seen_after: Leave out what was first seen before this: an archive is not regrouped.
        characters: How much of a text to read: the body's, or the summary's where there is no body.
    """
    at = func.coalesce(ItemRow.published_at, ItemRow.first_seen_at)
    recent = col(ItemRow.first_seen_at) >= seen_after
    first, last = session.exec(select(func.min(at), func.max(at)).where(col(ItemRow.id).in_(ids), recent)).one()
    if first is None:
        return []
    columns: Any = (
        ItemRow.id,
        ItemRow.url,
        ItemRow.title,
        func.substr(func.coalesce(func.nullif(ItemRow.body, ""), ItemRow.summary), 1, characters).label("text"),
        ItemRow.language,
        at.label("at"),
        ItemRow.canonical_url,
        ItemRow.twins,
        ItemRow.story_id,
    )
    matched = select(MatchRow.id).where(MatchRow.item_id == ItemRow.id).exists()
    query: Any = select(*columns).where(at >= first - reach, at <= last + reach, recent, matched)
    return list(session.exec(query.order_by(at.desc()).limit(MOST_COMPARED)))


def join_items(session: Session, item_ids: Sequence[int], now: datetime) -> int:
    """Let the items be one story, together with all that were in a story with one of them; its id."""
    chosen = col(ItemRow.id).in_(item_ids)
    held = select(ItemRow.story_id).where(chosen, col(ItemRow.story_id).is_not(None)).distinct()
    earlier = sorted(story for story in session.exec(held) if story is not None)
    story_id = earlier[0] if earlier else _new_story(session, now)
    connection = session.connection()
    connection.execute(update(ItemRow).where(chosen).values(story_id=story_id))
    if earlier[1:]:
        merged = update(ItemRow).where(col(ItemRow.story_id).in_(earlier[1:]))
        connection.execute(merged.values(story_id=story_id))
    return story_id


def _new_story(session: Session, now: datetime) -> int:
    story = StoryRow(created_at=now)
    session.add(story)
    session.flush()
    if story.id is None:
        raise LookupError("the database gave the story no id")
    return story.id
