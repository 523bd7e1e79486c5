"""What the public reads: how lively the topics are, and their news by the time of publication.

What is news, ``IS_NEWS`` says. Counts and pages are found in the indexes of the match table; rows are read, no
entities.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import distinct, func, literal, text, true, union_all
from sqlmodel import Session, col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from monitor.store import tables
from monitor.store.keyset import below
from monitor.store.matches import LoggedMatch, logged_match, select_logged
from monitor.store.tables import ItemRow, MatchRow, SourceRow, TopicRow

WEEK = timedelta(days=7)

# SQLite takes a partial index only for its very condition; SQLAlchemy would write "worthy = 1".
IS_NEWS = text(f"({tables.IS_NEWS})")
"""That a match is news. Only ``match`` has the columns that it names, so it may stand in a query over others, too."""


def weekly_counts(
    session: Session, now: datetime, *, weeks: int, topics: Sequence[str] | None = None
) -> dict[str, tuple[int, ...]]:
    """How much news topics had in each of the last ``weeks`` times seven days, the oldest first.

    Args:
        session: An open transaction.
        now: The end of the last week, aware UTC.
        weeks: How many.
        topics: Of which topics; None for all active ones.
    """
    spans = union_all(*(_span(number, now - (weeks - number) * WEEK) for number in range(weeks))).subquery()
    of_span = (
        select(func.count())
        .select_from(MatchRow)
        .where(IS_NEWS, MatchRow.topic_id == TopicRow.id)
        .where(col(MatchRow.news_at) > spans.c.start, col(MatchRow.news_at) <= spans.c.end)
        .correlate(TopicRow, spans)
        .scalar_subquery()
    )
    asked = col(TopicRow.active) if topics is None else col(TopicRow.id).in_(topics)
    query = select(TopicRow.id, of_span).join(spans, true()).where(asked)
    counts: dict[str, list[int]] = defaultdict(list)
    for topic, count in session.exec(query.order_by(spans.c.number)):
        counts[topic].append(count)
    return {topic: tuple(counted) for topic, counted in counts.items()}


def _span(number: int, start: datetime) -> Any:
    times = (literal(moment, UTCDateTime()) for moment in (start, start + WEEK))
    return select(
        literal(number).label("number"), *(time.label(name) for time, name in zip(times, ("start", "end"), strict=True))
    )


def count_news(session: Session, since: datetime, until: datetime) -> int:
    """How many items were news in a time, each once, however many topics it is about."""
    items = select(func.count(distinct(col(MatchRow.item_id)))).where(IS_NEWS)
    return session.exec(items.where(col(MatchRow.news_at) > since, col(MatchRow.news_at) <= until)).one()


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest news of a topic; ``language`` is a BCP 47 tag as the source gives it."""

    item_id: int
    title: str
    language: str
    news_at: datetime


def latest_news(session: Session) -> dict[str, Latest]:
    """The newest news of each active topic that ever had any."""
    newest = (
        select(MatchRow.id)
        .where(IS_NEWS, MatchRow.topic_id == TopicRow.id)
        .order_by(col(MatchRow.news_at).desc(), col(MatchRow.id).desc())
        .limit(1)
        .correlate(TopicRow)
        .scalar_subquery()
    )
    columns: Any = (TopicRow.id, ItemRow.id, ItemRow.title, ItemRow.language, MatchRow.news_at)
    query = select(*columns).select_from(TopicRow).join(MatchRow, col(MatchRow.id) == newest)
    query = query.join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id)).where(col(TopicRow.active))
    return {row[0]: Latest(*row[1:]) for row in session.exec(query)}


def list_news(
    session: Session,
    topics: Sequence[str] | None = None,
    *,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[LoggedMatch]:
    """The matches that are news, the latest published first.

    Args:
        session: An open transaction.
        topics: Only of these topics; None for all.
        before: Only those after this place in the list: ``news_at`` and id of the last match that was shown.
        limit: How many at most.
    """
    conditions = [true()] if topics is None else [MatchRow.topic_id == topic for topic in topics]
    wanted = [_newest_ids(condition, before, limit) for condition in conditions]
    if not wanted:
        return []
    # One short walk down the index for each topic: with IN, all of their matches would be read and sorted.
    ids = union_all(*(select(part.c.id) for part in wanted)).subquery()
    query = select_logged().where(col(MatchRow.id).in_(select(ids.c.id)))
    ordered = query.order_by(col(MatchRow.news_at).desc(), col(MatchRow.id).desc()).limit(limit)
    return [logged_match(row) for row in session.exec(ordered)]


def _newest_ids(condition: Any, before: tuple[datetime, int] | None, limit: int) -> Any:
    place = (col(MatchRow.news_at), col(MatchRow.id))
    query = select(MatchRow.id).where(IS_NEWS, condition)
    if before is not None:
        query = query.where(below(place, before))
    return query.order_by(*(key.desc() for key in place)).limit(limit).subquery()


@dataclass(frozen=True, slots=True)
class Publisher:
    """An agency that published news of a topic; ``country`` is an ISO 3166 code, ``INT`` or ``EU``."""

    agency: str
    country: str
    count: int


def publishers(session: Session, topic: str, since: datetime) -> list[Publisher]:
    """Who published how much news of a topic since a time, the most first."""
    news = select(MatchRow.source_id, func.count().label("count")).where(IS_NEWS, MatchRow.topic_id == topic)
    by_source = news.where(MatchRow.news_at >= since).group_by(col(MatchRow.source_id)).subquery()
    total = func.sum(by_source.c.count)
    query = select(SourceRow.agency, SourceRow.country, total).join(by_source, by_source.c.source_id == SourceRow.id)
    grouped = query.group_by(SourceRow.agency, SourceRow.country).order_by(total.desc(), SourceRow.agency)
    return [Publisher(agency, country, int(count)) for agency, country, count in session.exec(grouped)]


def by_country(found: Sequence[Publisher]) -> Mapping[str, int]:
    """How much news came from each country, the most first."""
    counts: dict[str, int] = defaultdict(int)
    for publisher in found:
        counts[publisher.country] += publisher.count
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
