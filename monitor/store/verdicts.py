"""What reviewers said of matches, as conditions of queries over matches, and by item."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.store.tables import MatchRow, VerdictRow

PASSED = ("relevant", "starred")
"""The words with which a reviewer lets a match out where news is held for review."""
NOISE = "noise"


def latest_verdict(column: Any) -> Any:
    """A column of the latest verdict on the match of the query around it; null where there is none."""
    latest = select(column).where(VerdictRow.match_id == MatchRow.id).order_by(col(VerdictRow.id).desc()).limit(1)
    return latest.correlate(MatchRow).scalar_subquery()


def passable(*, hold: bool) -> Any:
    """That the match may be told: a reviewer has passed it, or, where nothing is held, has not called it noise."""
    word = latest_verdict(VerdictRow.word)
    return word.in_(PASSED) if hold else func.coalesce(word, "") != NOISE


def relevance(session: Session, topic: str) -> dict[int, bool]:
    """Whether an item is relevant to a topic, by the item's id, where a reviewer said so; the latest word counts."""
    query = (
        select(MatchRow.item_id, VerdictRow.word)
        .join(VerdictRow, col(VerdictRow.match_id) == col(MatchRow.id))
        .where(MatchRow.topic_id == topic)
        .order_by(col(VerdictRow.id))
    )
    return {item_id: word != NOISE for item_id, word in session.exec(query)}
