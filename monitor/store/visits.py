"""Visits to sources: the state from which each starts, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import and_, bindparam, insert, update
from sqlmodel import Session, col, select

from monitor.core.nouns import SourceSpec
from monitor.store.events import record_event
from monitor.store.sources import spec_of
from monitor.store.tables import PollRow, SourceRow
from monitor.texts import marked as _

FAILING_AFTER = 3
"""From so many failed visits in a row on, a source counts as failing: one or two are everyday trouble."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as a poll needs it; ``asked`` is how often its feed asked to be visited when it was last read."""

    id: int
    host: str
    spec: SourceSpec
    etag: str | None
    last_modified: str | None
    body_hash: str | None
    asked: Mapping[str, Any]
    permanent_url_seen: str | None
    permanent_url_count: int
    interval: timedelta
    failures: int
    last_success_at: datetime | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """What a visit leaves behind: new values for columns of its source, and a row of ``poll`` for the history."""

    source: SourceState
    changes: Mapping[str, Any]
    poll: Mapping[str, Any]


def load_states(session: Session, ids: Sequence[int]) -> list[SourceState]:
    """The states of the named sources, the longest waiting first."""
    wanted = select(*_STATE_COLUMNS).where(col(SourceRow.id).in_(ids)).order_by(col(SourceRow.next_poll_at))
    return [_state(row) for row in session.connection().execute(wanted)]


def record_visits(session: Session, visits: Sequence[VisitRecord]) -> None:
    """Write what visits changed on their sources, and add them to the history.

    A source whose address was changed meanwhile keeps what the editor set: the answer was the old address's.
    """
    connection = session.connection()
    same = and_(col(SourceRow.id) == bindparam("visited"), col(SourceRow.url) == bindparam("asked_at"))
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for visit in visits:
        row = {**visit.changes, "visited": visit.source.id, "asked_at": visit.source.spec.url}
        by_columns.setdefault(tuple(visit.changes), []).append(row)
    for columns, rows in by_columns.items():
        values: dict[str, Any] = {name: bindparam(name) for name in columns}
        connection.execute(update(SourceRow).where(same).values(values), rows)
    connection.execute(insert(PollRow), [visit.poll for visit in visits])


def note_permanent_url(
    session: Session, source: SourceState, target: str | None, *, confirmations: int, now: datetime
) -> None:
    """Count identical permanent redirects in a row, and adopt the new address when there were enough.

    An address that another source has already is not adopted: the two would be one, and that is an editor's decision.
    """
    count = source.permanent_url_count + 1 if target == source.permanent_url_seen else 1
    values: dict[str, Any] = {"permanent_url_seen": target, "permanent_url_count": count if target else 0}
    if target and count >= confirmations:
        values = {"permanent_url_seen": None, "permanent_url_count": 0}
        if not session.exec(select(SourceRow.id).where(SourceRow.url == target)).first():
            values |= {"url": target, "host": urlsplit(target).hostname or ""}
            detail = {"from": source.spec.url, "to": target}
            record_event(
                session, now, actor="polling", action=_("moved"), noun="source", noun_id=source.spec.slug, detail=detail
            )
    session.connection().execute(update(SourceRow).where(col(SourceRow.id) == source.id).values(values))


_SPEC_COLUMNS: Any = [col(getattr(SourceRow, field.name)) for field in fields(SourceSpec)]
_STATE_COLUMNS: Any = (
    *_SPEC_COLUMNS,
    SourceRow.id,
    SourceRow.host,
    SourceRow.etag,
    SourceRow.last_modified,
    SourceRow.body_hash,
    SourceRow.asked,
    SourceRow.permanent_url_seen,
    SourceRow.permanent_url_count,
    SourceRow.interval_seconds,
    SourceRow.failures,
    SourceRow.last_success_at,
    SourceRow.lease_until,
)


def _state(row: Any) -> SourceState:
    return SourceState(
        id=row.id,
        host=row.host,
        spec=spec_of(row),
        etag=row.etag,
        last_modified=row.last_modified,
        body_hash=row.body_hash,
        asked=row.asked,
        permanent_url_seen=row.permanent_url_seen,
        permanent_url_count=row.permanent_url_count,
        interval=timedelta(seconds=row.interval_seconds),
        failures=row.failures,
        last_success_at=row.last_success_at,
        lease_until=row.lease_until,
    )
