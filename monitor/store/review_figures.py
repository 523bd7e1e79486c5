"""What the statistics of reviewing are worked out from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, literal_column, select
from sqlmodel import Session, col

from monitor.store.tables import ItemRow, MatchRow, VerdictRow


class Judged(NamedTuple):
    """A match with the word that counts, and the watches that gave evidence for it."""

    topic: str
    word: str
    watches: frozenset[str]


class Said(NamedTuple):
    """What a reviewer said of a match last."""

    match_id: int
    reviewer: str
    word: str


class FirstJudged(NamedTuple):
    """When a match was first judged, and when its item had been found."""

    at: datetime
    seen_at: datetime


def judged_matches(session: Session, since: datetime, *, limit: int) -> list[Judged]:
    """The matches that were judged since a time, each once, the latest first."""
    recent = select(VerdictRow.match_id).where(*_since(since)).distinct()  # type: ignore[call-overload]  # a column
    columns: Any = (MatchRow.topic_id, MatchRow.verdict, MatchRow.evidence)
    query = select(*columns).where(col(MatchRow.id).in_(recent), literal_column("verdict <> ''"))
    rows = session.connection().execute(query.order_by(col(MatchRow.id).desc()).limit(limit))
    return [Judged(topic, word, frozenset(one["watch"] for one in evidence)) for topic, word, evidence in rows]


def said_by_reviewers(session: Session, since: datetime, *, limit: int) -> list[Said]:
    """What each reviewer said last of each match that they judged since a time."""
    newest = select(func.max(col(VerdictRow.id))).where(*_since(since))
    of_each = newest.group_by(col(VerdictRow.match_id), col(VerdictRow.reviewer))
    columns: Any = (VerdictRow.match_id, VerdictRow.reviewer, VerdictRow.word)
    query = select(*columns).where(col(VerdictRow.id).in_(of_each)).order_by(col(VerdictRow.id).desc()).limit(limit)
    return [Said(*row) for row in session.connection().execute(query)]


def first_judged(session: Session, since: datetime, *, limit: int) -> list[FirstJudged]:
    """When the matches that were first judged since a time were judged, and found; the latest first."""
    at = func.min(col(VerdictRow.at), type_=VerdictRow.__table__.c.at.type)  # type: ignore[attr-defined]  # SQLModel's table
    first = (
        select(col(VerdictRow.match_id), at.label("at"))
        .where(col(VerdictRow.word) != "")
        .group_by(col(VerdictRow.match_id))
        .having(at >= since)
        .subquery()
    )
    query = (
        select(first.c.at, col(ItemRow.first_seen_at))
        .join(MatchRow, col(MatchRow.id) == first.c.match_id)
        .join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
    )
    rows = session.connection().execute(query.order_by(first.c.at.desc()).limit(limit))
    return [FirstJudged(*row) for row in rows]


def open_by_topic(session: Session, since: datetime) -> Mapping[str, int]:
    """How many matches worth a digest nobody has judged, of news since a time, by topic; the most first."""
    count = func.count()
    query = (
        select(col(MatchRow.topic_id), count)
        .where(
            col(MatchRow.news_at) >= since,
            col(MatchRow.worthy),
            col(MatchRow.verdict) == "",
            col(MatchRow.lost_at).is_(None),
        )
        .group_by(col(MatchRow.topic_id))
        .order_by(count.desc(), col(MatchRow.topic_id))
    )
    return {topic: number for topic, number in session.connection().execute(query)}  # noqa: C416 - rows, not pairs


def _since(since: datetime) -> tuple[Any, Any]:
    return col(VerdictRow.at) >= since, col(VerdictRow.word) != ""
