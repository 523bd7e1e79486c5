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


def save_matches(
    session: Session,
    item_id: int,
    revision: int,
    matches: Sequence[TopicMatch],
    *,
    watchlist_version: str,
    now: datetime,
) -> None:
    """Write all matches of one revision of an item, and that this revision has been matched.

    A topic that no longer matches loses its match, unless the match is in somebody's digest, which the ledger tells of,
    or a reviewer has said something of it: then it stays, with the time since which it is lost.
    """
    of_item = select(ItemRow.source_id, ItemRow.news_at, ItemRow.language).where(ItemRow.id == item_id)
    source_id, news_at, language = session.exec(of_item).one()
    rows = [
        {
            "item_id": item_id,
            "source_id": source_id,
            "news_at": news_at,
            "language": language,
            "topic_id": match.topic,
            "score": match.score,
            "worthy": match.worthy,
            "evidence": [asdict(evidence) for evidence in match.evidence],
            "item_revision": revision,
            "watchlist_version": watchlist_version,
            "matched_at": now,
            "lost_at": None,
        }
        for match in matches
    ]
    insert_or_update(session, MatchRow, rows, unique=("item_id", "topic_id"))
    connection = session.connection()
    lost = (col(MatchRow.item_id) == item_id, col(MatchRow.topic_id).not_in([match.topic for match in matches]))
    connection.execute(delete(MatchRow).where(*lost, ~_is_kept()))
    connection.execute(update(MatchRow).where(*lost, col(MatchRow.lost_at).is_(None)).values(lost_at=now))
    # The revision is part of the condition: an edit that came in between must be matched again.
    matched = update(ItemRow).where(col(ItemRow.id) == item_id, col(ItemRow.revision) == revision)
    connection.execute(matched.values(matched_revision=revision))


def _is_kept() -> ColumnElement[bool]:
    in_ledger = select(DigestItemRow.match_id).where(DigestItemRow.match_id == MatchRow.id).exists()
    judged = select(VerdictRow.id).where(VerdictRow.match_id == MatchRow.id).exists()
    return or_(in_ledger, judged)


def list_matches(
    session: Session,
    *,
    topic: str | None = None,
    worthy: bool | None = None,
    before_id: int | None = None,
    ids: Sequence[int] | None = None,
    limit: int = 50,
) -> list[LoggedMatch]:
    """The match log, newest first.

    Args:
        session: An open transaction.
        topic: Only matches with this topic.
        worthy: Only matches that are (or are not) worth a digest.
        before_id: Only matches older than this one: the cursor of the next page.
        ids: Only these matches.
        limit: How many at most.
    """
    query = select_logged().order_by(col(MatchRow.id).desc()).limit(limit)
    if topic is not None:
        query = query.where(MatchRow.topic_id == topic)
    if worthy is not None:
        query = query.where(MatchRow.worthy == worthy)
    if before_id is not None:
        query = query.where(col(MatchRow.id) < before_id)
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
