"""Matches: what the watchlist found in the items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, update
from sqlmodel import Session, col, select

from monitor.core.nouns import Document, Evidence, TopicMatch
from monitor.store.items import document_of
from monitor.store.tables import DigestItemRow, ItemRow, MatchRow, SourceRow, VerdictRow
from monitor.store.upsert import insert_or_update
from monitor.store.verdicts import passable


@dataclass(frozen=True, slots=True)
class LoggedMatch:
    """A line of the match log: the match with its item and its source."""

    id: int
    topic: str
    score: float
    worthy: bool
    evidence: tuple[Evidence, ...]
    matched_at: datetime
    item_id: int
    url: str
    published_at: datetime | None
    first_seen_at: datetime
    revision: int
    story_id: int | None
    twins: Mapping[str, str]
    document: Document
    verdict: str
    assignee: str
    lost_at: datetime | None

    @property
    def news_at(self) -> datetime:
        """When the item was published or, where its source does not tell, first seen; aware UTC."""
        return self.published_at or self.first_seen_at


@dataclass(frozen=True, slots=True)
class Found:
    """The topics that one revision of an item matches."""

    item_id: int
    revision: int
    topics: Sequence[TopicMatch]


def save_matches(session: Session, found: Sequence[Found], *, watchlist_version: str, now: datetime) -> None:
    """Write all matches of revisions of items, and that these revisions have been matched.

    A topic that no longer matches loses its match, unless the match is in somebody's digest, which the ledger tells of,
    or a reviewer has said something of it: then it stays, with the time since which it is lost.
    """
    _let_go(session, found, now)
    rows = _rows(session, found, {"watchlist_version": watchlist_version, "matched_at": now, "lost_at": None})
    insert_or_update(session, MatchRow, rows, unique=("item_id", "topic_id"))
    by_revision: dict[int, list[int]] = {}
    for one in found:
        by_revision.setdefault(one.revision, []).append(one.item_id)
    for revision, ids in by_revision.items():
        # The revision is part of the condition: an edit that came in between must be matched again.
        matched = update(ItemRow).where(col(ItemRow.id).in_(ids), col(ItemRow.revision) == revision)
        session.connection().execute(matched.values(matched_revision=revision))


def _rows(session: Session, found: Sequence[Found], common: Mapping[str, Any]) -> list[dict[str, Any]]:
    ids = [one.item_id for one in found if one.topics]
    columns: Any = (ItemRow.id, ItemRow.source_id, ItemRow.news_at, ItemRow.language)
    facts = {item_id: rest for item_id, *rest in session.exec(select(*columns).where(col(ItemRow.id).in_(ids)))}
    return [
        {
            "item_id": one.item_id,
            **dict(zip(("source_id", "news_at", "language"), facts[one.item_id], strict=True)),
            "topic_id": match.topic,
            "score": match.score,
            "worthy": match.worthy,
            "evidence": [asdict(evidence) for evidence in match.evidence],
            "item_revision": one.revision,
            **common,
        }
        for one in found
        for match in one.topics
    ]


def _let_go(session: Session, found: Sequence[Found], now: datetime) -> None:
    """Delete, or mark as lost, what these items matched before and do not any more."""
    of_items = col(MatchRow.item_id).in_([one.item_id for one in found])
    held = session.exec(select(MatchRow.id, MatchRow.item_id, MatchRow.topic_id).where(of_items))
    still = {(one.item_id, match.topic) for one in found for match in one.topics}
    if ids := [match_id for match_id, *pair in held if tuple(pair) not in still]:
        connection, lost = session.connection(), col(MatchRow.id).in_(ids)
        connection.execute(delete(MatchRow).where(lost, ~_is_kept()))
        connection.execute(update(MatchRow).where(lost, col(MatchRow.lost_at).is_(None)).values(lost_at=now))


def _is_kept() -> ColumnElement[bool]:
    in_ledger = select(DigestItemRow.match_id).where(DigestItemRow.match_id == MatchRow.id).exists()
    judged = select(VerdictRow.id).where(VerdictRow.match_id == MatchRow.id).exists()
    return or_(in_ledger, judged)


def list_matches(session: Session, *, ids: Sequence[int] | None = None, limit: int) -> list[LoggedMatch]:
    """The matches with these ids, or all, the latest found first; so many at most."""
    query = select_logged().order_by(col(MatchRow.id).desc()).limit(limit)
    if ids is not None:
        query = query.where(col(MatchRow.id).in_(ids))
    return [logged_match(row) for row in session.exec(query)]


def newest_matches(session: Session, topics: Sequence[str], *, hold: bool, limit: int) -> list[LoggedMatch]:
    """The newest matches that are worth telling, of some topics.

    Args:
        session: An open transaction.
        topics: The topics' ids.
        hold: Only what a reviewer has passed.
        limit: How many at most.
    """
    query = select_logged().where(col(MatchRow.topic_id).in_(topics), col(MatchRow.worthy), passable(hold=hold))
    newest = query.order_by(col(ItemRow.first_seen_at).desc(), col(MatchRow.id).desc())
    return [logged_match(row) for row in session.exec(newest.limit(limit))]


def select_logged() -> Any:
    """The query of the columns that ``logged_match`` reads, to be narrowed and sorted."""
    columns = (
        MatchRow.id.label("match_id"),  # type: ignore[union-attr]  # a column, not a value
        MatchRow.topic_id,
        MatchRow.score,
        MatchRow.worthy,
        MatchRow.evidence,
        MatchRow.matched_at,
        MatchRow.item_id,
        MatchRow.news_at,
        MatchRow.verdict,
        MatchRow.assignee,
        MatchRow.lost_at,
        ItemRow.url,
        ItemRow.title,
        ItemRow.summary,
        ItemRow.body,
        ItemRow.language,
        ItemRow.categories,
        ItemRow.published_at,
        ItemRow.first_seen_at,
        ItemRow.revision,
        ItemRow.story_id,
        ItemRow.twins,
        SourceRow.slug,
        SourceRow.agency,
        SourceRow.country,
    )
    return (
        select(*columns)  # type: ignore[call-overload]  # more columns than its overloads name
        .join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
        .join(SourceRow, col(SourceRow.id) == col(ItemRow.source_id))
    )


def logged_match(row: Any) -> LoggedMatch:
    """The line of the match log that a row of ``select_logged`` stands for."""
    return LoggedMatch(
        id=row.match_id,
        topic=row.topic_id,
        score=row.score,
        worthy=row.worthy,
        evidence=tuple(Evidence(**evidence) for evidence in row.evidence),
        matched_at=row.matched_at,
        item_id=row.item_id,
        url=row.url,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        revision=row.revision,
        story_id=row.story_id,
        twins=row.twins,
        document=document_of(row._mapping),  # noqa: SLF001 - SQLAlchemy's public name
        verdict=row.verdict,
        assignee=row.assignee,
        lost_at=row.lost_at,
    )
