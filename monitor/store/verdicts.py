"""Verdicts on matches: what they let out, what they say of items, and who is to judge which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlmodel import Session, col

from monitor.store.tables import MatchRow, VerdictRow

PASSED = ("relevant", "starred")
"""The words with which a reviewer lets a match out where news is held for review."""
NOISE = "noise"

_IN_BATCH = 500


@dataclass(frozen=True, slots=True)
class LatestVerdict:
    """The verdict that counts of a match: who gave it and the note to it."""

    reviewer: str
    note: str
    at: datetime


def passable(*, hold: bool) -> ColumnElement[bool]:
    """That the match may be told: a reviewer has passed it, or, where nothing is held, has not called it noise.

    What the watchlist no longer finds is told to nobody.
    """
    word, is_found = col(MatchRow.verdict), col(MatchRow.lost_at).is_(None)
    return and_(is_found, word.in_(PASSED) if hold else word != NOISE)


def latest_verdict(column: Any) -> Any:
    """A column of the latest verdict on the match of the query around it; null where there is none."""
    of_match = col(VerdictRow.match_id) == col(MatchRow.id)
    latest = select(column).where(of_match).order_by(col(VerdictRow.id).desc()).limit(1)
    return latest.correlate(MatchRow).scalar_subquery()


def relevance(session: Session, topic: str) -> dict[int, bool]:
    """Whether an item is relevant to a topic, by the item's id, where a reviewer said so."""
    columns: Any = (MatchRow.item_id, MatchRow.verdict)
    query = select(*columns).where(col(MatchRow.topic_id) == topic, col(MatchRow.verdict) != "")
    return {row.item_id: row.verdict != NOISE for row in session.connection().execute(query)}


def known_matches(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Those of the matches that exist, with the word of their latest verdict."""
    query = select(MatchRow.id, MatchRow.verdict).where(col(MatchRow.id).in_(ids))  # type: ignore[call-overload]  # two columns
    return {row.id: row.verdict for row in session.connection().execute(query)}


def add_verdicts(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write verdicts down, and on each match the word that now counts."""
    for start in range(0, len(rows), _IN_BATCH):
        some = rows[start : start + _IN_BATCH]
        session.connection().execute(VerdictRow.__table__.insert(), some)  # type: ignore[attr-defined]  # SQLModel's table
        set_words(session, {row["match_id"]: row["word"] for row in some})


def set_words(session: Session, words: dict[int, str]) -> None:
    """Write on each match the word of its latest verdict."""
    by_word: dict[str, list[int]] = {}
    for match_id, word in words.items():
        by_word.setdefault(word, []).append(match_id)
    for word, ids in by_word.items():
        session.connection().execute(update(MatchRow).where(col(MatchRow.id).in_(ids)).values(verdict=word))


def last_batch(session: Session, reviewer: str, since: datetime) -> list[tuple[int, int]]:
    """The ids and matches of the verdicts that a reviewer gave last, at one stroke."""
    latest = (
        select(VerdictRow.batch)  # type: ignore[call-overload]  # a column
        .where(VerdictRow.reviewer == reviewer, col(VerdictRow.at) >= since)
        .order_by(col(VerdictRow.id).desc())
        .limit(1)
    )
    batch = session.connection().execute(latest).scalar()
    if not batch:
        return []
    rows = select(VerdictRow.id, VerdictRow.match_id).where(VerdictRow.reviewer == reviewer, VerdictRow.batch == batch)  # type: ignore[call-overload]  # two columns
    return [(row.id, row.match_id) for row in session.connection().execute(rows)]


def delete_verdicts(session: Session, ids: Sequence[int], match_ids: Sequence[int]) -> None:
    """Take verdicts back; on each match the one before counts again."""
    for start in range(0, len(ids), _IN_BATCH):
        session.connection().execute(delete(VerdictRow).where(col(VerdictRow.id).in_(ids[start : start + _IN_BATCH])))
    for start in range(0, len(match_ids), _IN_BATCH):
        some = match_ids[start : start + _IN_BATCH]
        left = {row.match_id: row.word for row in _latest_rows(session, some)}
        set_words(session, {match_id: left.get(match_id, "") for match_id in some})


def latest_verdicts(session: Session, match_ids: Sequence[int]) -> dict[int, LatestVerdict]:
    """The verdict that counts of each of these matches that has one."""
    rows = _latest_rows(session, match_ids)
    return {row.match_id: LatestVerdict(row.reviewer, row.note, row.at) for row in rows}


def _latest_rows(session: Session, match_ids: Sequence[int]) -> list[Any]:
    of_match = col(VerdictRow.match_id)
    newest = select(func.max(col(VerdictRow.id))).where(of_match.in_(match_ids)).group_by(of_match)
    columns: Any = (VerdictRow.match_id, VerdictRow.reviewer, VerdictRow.word, VerdictRow.note, VerdictRow.at)
    return list(session.connection().execute(select(*columns).where(col(VerdictRow.id).in_(newest))))


def assign(session: Session, match_ids: Sequence[int], assignee: str) -> int:
    """Say who is to judge matches, nobody where empty; how many matches there are of these."""
    changed = update(MatchRow).where(col(MatchRow.id).in_(match_ids)).values(assignee=assignee)
    return session.connection().execute(changed).rowcount
