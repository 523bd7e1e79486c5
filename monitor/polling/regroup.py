"""Keeping stories up to date as items come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from monitor.core.languages import primary_language
from monitor.polling.stories import COMPARED, Telling, find_stories
from monitor.store import stories

REACH = timedelta(days=3)
"""News that is told again later than this is news of its own."""

REGROUPED = timedelta(days=14)
"""Items first seen longer ago are left as they are."""


def regroup(session: Session, item_ids: Sequence[int], now: datetime) -> None:
    """Find the stories among items that have just been matched and those around them, and write them down."""
    rows = stories.items_around(session, item_ids, reach=REACH, seen_after=now - REGROUPED, characters=COMPARED)
    held = {row.id: row.story_id for row in rows}
    for story in find_stories([_telling(row) for row in rows], item_ids):
        known = {held[item_id] for item_id in story.item_ids}
        if len(known) > 1 or known == {None}:
            stories.join_items(session, story.item_ids, now)


def _telling(row: Any) -> Telling:
    return Telling(
        item_id=row.id,
        url=row.url,
        title=row.title,
        text=row.text,
        language=primary_language(row.language),
        at=row.at,
        canonical_url=row.canonical_url,
        twins=frozenset(row.twins.values()),
        story_id=row.story_id,
    )
