"""The sources as an editor looks at them: how each fares, and what its visits brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, or_
from sqlmodel import Session, col, select

from monitor.store.contains import contains
from monitor.store.source_health import Rhythm, rhythms
from monitor.store.tables import ItemRow, PollRow, SourceRow
from monitor.store.visits import FAILING_AFTER

WEEKS = 12
"""How many weeks the small chart of a source covers."""

_SEARCHED = (SourceRow.agency, SourceRow.slug, SourceRow.url)

CONDITIONS = ("well", "quiet", "shaky", "failing", "new", "paused", "ended")
"""What can be said of a source in one word, see ``condition``."""


class NamedSource(NamedTuple):
    """A source by its names, for the choices of a filter."""

    id: int
    slug: str
    agency: str
    country: str


def name_sources(session: Session) -> list[NamedSource]:
    """Every source by its names, by country and agency."""
    columns: Any = (SourceRow.id, SourceRow.slug, SourceRow.agency, SourceRow.country)
    order = (col(SourceRow.country), col(SourceRow.agency), col(SourceRow.slug))
    return [NamedSource(*row) for row in session.exec(select(*columns).order_by(*order))]


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A line of the list of sources; ``weekly`` is how many items each of the last weeks brought, oldest first."""

    slug: str
    agency: str
    country: str
    language: str
    kind: str
    url: str
    condition: str
    health: str
    failures: int
    last_error: str
    last_success_at: datetime | None
    next_poll_at: datetime
    weekly: tuple[int, ...]
    usual: float


@dataclass(frozen=True, slots=True)
class StoredVisit:
    """A visit to a source and what came of it; ``started_at`` is aware UTC."""

    id: int
    started_at: datetime
    duration_ms: int
    outcome: str
    detail: str
    http_status: int | None
    body_bytes: int
    entries: int
    new_items: int
    changed_items: int


def condition(row: SourceRow, rhythm: Rhythm | None) -> str:
    """How a source fares, in one word of ``CONDITIONS``."""
    if row.state != "active":
        return row.state
    if row.failures:
        return "failing" if row.failures >= FAILING_AFTER else "shaky"
    if row.last_success_at is None:
        return "new"
    return "quiet" if rhythm and rhythm.quiet else "well"


def list_with_health(
    session: Session, now: datetime, *, text: str = "", country: str = "", language: str = "", state: str = ""
) -> list[ListedSource]:
    """The sources with their health, by country and agency.

    Args:
        session: An open transaction.
        now: The present, aware UTC.
        text: What agency, slug or address must hold; nothing for all.
        country: Only those of a country.
        language: Only those in a language.
        state: Only those whose condition this is.
    """
    query = select(SourceRow).order_by(col(SourceRow.country), col(SourceRow.agency), col(SourceRow.slug))
    if text:
        query = query.where(or_(*(contains(field, text) for field in _SEARCHED)))
    if country:
        query = query.where(SourceRow.country == country)
    if language:
        query = query.where(SourceRow.language == language)
    by_id, weekly = rhythms(session, now), weekly_items(session, now)
    listed = (_listed(row, by_id.get(row.id or 0), weekly) for row in session.exec(query))
    return [source for source in listed if state in {"", source.condition}]


def weekly_items(session: Session, now: datetime, *, source_id: int | None = None) -> dict[int, tuple[int, ...]]:
    """How many items each of the last weeks brought, oldest first, by source."""
    edges = [now - timedelta(weeks=count) for count in range(WEEKS, -1, -1)]
    seen = col(ItemRow.first_seen_at)
    sums: Any = [func.sum(case((and_(seen > start, seen <= end), 1), else_=0)) for start, end in pairwise(edges)]
    query: Any = select(ItemRow.source_id, *sums).where(seen > edges[0]).group_by(col(ItemRow.source_id))
    if source_id is not None:
        query = query.where(ItemRow.source_id == source_id)
    return {row[0]: tuple(map(int, row[1:])) for row in session.exec(query)}


def list_visits(
    session: Session, source_id: int, *, before_id: int | None = None, limit: int = 50
) -> Sequence[StoredVisit]:
    """The visits to a source, the latest first."""
    query = select(PollRow).where(PollRow.source_id == source_id).order_by(col(PollRow.id).desc()).limit(limit)
    if before_id is not None:
        query = query.where(col(PollRow.id) < before_id)
    return [_visit(row) for row in session.exec(query)]


def latest_items(session: Session, source_id: int, *, limit: int) -> Sequence[tuple[int, str, str, datetime]]:
    """The items that a source brought last: id, title, address, and when each was first seen."""
    columns: Any = (ItemRow.id, ItemRow.title, ItemRow.url, ItemRow.first_seen_at)
    query: Any = select(*columns).where(ItemRow.source_id == source_id).order_by(col(ItemRow.id).desc()).limit(limit)
    return [tuple(row) for row in session.exec(query)]


def _listed(row: SourceRow, rhythm: Rhythm | None, weekly: Mapping[int, tuple[int, ...]]) -> ListedSource:
    return ListedSource(
        slug=row.slug,
        agency=row.agency,
        country=row.country,
        language=row.language,
        kind=row.kind,
        url=row.url,
        condition=condition(row, rhythm),
        health=row.health,
        failures=row.failures,
        last_error=row.last_error,
        last_success_at=row.last_success_at,
        next_poll_at=row.next_poll_at,
        weekly=weekly.get(row.id or 0, (0,) * WEEKS),
        usual=rhythm.usual if rhythm else 0.0,
    )


def _visit(row: PollRow) -> StoredVisit:
    return StoredVisit(
        row.id or 0,
        row.started_at,
        row.duration_ms,
        row.outcome,
        row.detail,
        row.http_status,
        row.body_bytes,
        row.entries,
        row.new_items,
        row.changed_items,
    )
