"""Sources: what is written down about them, which are due, and what each visit leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import and_, bindparam, case, func, insert, or_, text, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.errors import Conflict, NotFound
from monitor.store.events import record_event
from monitor.store.tables import ItemRow, PollRow, SourceRow
from monitor.texts import marked as _

FIRST_INTERVAL = timedelta(hours=1)
"""How long after its first visit a source is visited again, before its own pace is known."""

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


def load_specs(session: Session) -> tuple[SourceSpec, ...]:
    """What is written down about every source that has not ended."""
    rows = session.exec(select(SourceRow).where(SourceRow.state != "ended").order_by(col(SourceRow.slug)))
    return tuple(_spec(row) for row in rows)


def save_source(
    session: Session, spec: SourceSpec, *, actor: str, now: datetime, applied_hash: str | None = None
) -> int:
    """Create or replace what is written down about a source; a new address forgets the old one's validators.

    ``applied_hash`` is the config file's content that this is. Where it is left out, an edit in the product, the one
    applied before is kept, so that the file is known to differ.
    """
    row = session.exec(select(SourceRow).where(SourceRow.slug == spec.slug)).one_or_none()
    if row is None:
        interval = int(FIRST_INTERVAL.total_seconds())
        row = SourceRow(
            slug=spec.slug,
            url="",
            host="",
            agency="",
            country="",
            language="",
            kind="",
            selectors={},
            asked={},
            added_at=now,
            next_poll_at=now,
            interval_seconds=interval,
        )
    if row.url != spec.url:
        row.etag = row.last_modified = row.body_hash = row.permanent_url_seen = None
        row.asked = {}
        row.next_poll_at = now
    row.url, row.host = spec.url, urlsplit(spec.url).hostname or ""
    row.agency, row.country, row.language = spec.agency, spec.country, spec.language.value
    row.kind, row.selectors = spec.kind.value, dict(spec.selectors)
    row.last_verified, row.note = spec.last_verified, spec.note
    row.applied_hash = row.applied_hash if applied_hash is None else applied_hash
    row.state = "active" if row.state == "ended" else row.state
    session.add(row)
    session.flush()
    record_event(
        session, now, actor=actor, action=_("saved"), noun="source", noun_id=spec.slug, detail={"url": spec.url}
    )
    return _id(row)


def store_new_source(session: Session, spec: SourceSpec, *, actor: str, now: datetime) -> int:
    """Store a source that is not there yet; its id.

    Raises:
        Conflict: A source has this address or this slug already.
    """
    held = select(SourceRow.slug).where(or_(col(SourceRow.url) == spec.url, col(SourceRow.slug) == spec.slug))
    if (slug := session.exec(held).first()) is not None:
        raise Conflict(_("%(url)s is there already, as %(slug)s", url=spec.url, slug=slug))
    return save_source(session, spec, actor=actor, now=now)


def change_source(session: Session, slug: str, spec: SourceSpec, *, actor: str, now: datetime) -> None:
    """Replace what is written down about a source that is there; its slug stays, and so does its history.

    Raises:
        NotFound: There is no such source.
        Conflict: Another source has the new address.
    """
    find_source(session, slug)
    held = select(SourceRow.slug).where(SourceRow.url == spec.url, SourceRow.slug != slug)
    if (other := session.exec(held).first()) is not None:
        raise Conflict(_("%(url)s is there already, as %(slug)s", url=spec.url, slug=other))
    save_source(session, replace(spec, slug=slug), actor=actor, now=now)


def find_source(session: Session, slug: str) -> SourceRow:
    """The source with this slug, whatever its state.

    Raises:
        NotFound: There is no such source.
    """
    row = session.exec(select(SourceRow).where(SourceRow.slug == slug)).one_or_none()
    if row is None:
        raise NotFound(_("source %(slug)s: no such source; see `monitor source list`", slug=repr(slug)))
    return row


def ask_for_visit(session: Session, slug: str, *, lease: timedelta, actor: str, now: datetime) -> list[int]:
    """Have a source visited now: its id, claimed for the caller to visit, or none while its host rests.

    A host that was asked a moment ago is left alone: then the source is due, and the schedule visits it next.

    Raises:
        NotFound: There is no such source.
        Conflict: It is paused, or has ended.
    """
    row = find_source(session, slug)
    if row.state != "active":
        raise Conflict(_("source %(slug)s is %(state)s; resume it first", slug=slug, state=row.state))
    record_event(session, now, actor=actor, action=_("asked for a visit of"), noun="source", noun_id=slug)
    claimed = claim_due_sources(session, now, limit=1, per_host=1, lease=lease, slug=slug)
    if not claimed:
        waiting = update(SourceRow).where(col(SourceRow.id) == row.id, col(SourceRow.next_poll_at) > now)
        session.connection().execute(waiting.values(next_poll_at=now))
    return [source_id for ids in claimed.values() for source_id in ids]


def set_source_state(session: Session, slug: str, state: str, *, actor: str, now: datetime) -> None:
    """Pause a source or make it active again; made active, it is due at once.

    Raises:
        NotFound: There is no such source.
    """
    row = find_source(session, slug)
    row.state, row.lease_until = state, None
    if state == "active":
        row.failures, row.next_poll_at = 0, now
    session.add(row)
    record_event(session, now, actor=actor, action=state, noun="source", noun_id=slug)


def end_source(
    session: Session, slug: str, *, actor: str, now: datetime, reason: str, applied_hash: str | None = None
) -> None:
    """Stop visiting a source for good; its items stay."""
    row = session.exec(select(SourceRow).where(SourceRow.slug == slug)).one_or_none()
    if row is None or row.state == "ended":
        return
    row.state, row.lease_until = "ended", None
    row.applied_hash = row.applied_hash if applied_hash is None else applied_hash
    session.add(row)
    record_event(session, now, actor=actor, action=_("ended"), noun="source", noun_id=slug, detail={"reason": reason})


def claim_due_sources(
    session: Session, now: datetime, *, limit: int, per_host: int, lease: timedelta, slug: str | None = None
) -> dict[str, list[int]]:
    """Take due sources, and lease them so that no other worker visits them meanwhile.

    They are taken host by host, since those of one host are visited over one connection; the host comes first of which
    a source has waited longest. The cap per host is applied before the limit: a host with a thousand due feeds cannot
    starve the others. A host of which some source is on lease is left alone: nobody else sends it requests.

    Args:
        session: An open writing transaction.
        now: The time by which a source must be due, aware UTC.
        limit: How many to take at most.
        per_host: How many of one host to take at most.
        lease: For how long the claim holds, should the worker die.
        slug: Take this source alone, due or not.

    Returns:
        The ids of the sources taken, by host.
    """
    wanted = col(SourceRow.slug) == slug if slug else col(SourceRow.next_poll_at) <= now
    return _claim(session, now, wanted, limit=limit, per_host=per_host, lease=lease)


def claim_for_articles(
    session: Session, now: datetime, *, limit: int, per_host: int, lease: timedelta
) -> dict[str, list[int]]:
    """Take sources with items whose pages are still to be read, as ``claim_due_sources`` does those to be visited."""
    waiting = select(ItemRow.id).where(ItemRow.source_id == SourceRow.id, ItemRow.article_state == "wanted").exists()
    rested = or_(col(SourceRow.articles_after).is_(None), col(SourceRow.articles_after) <= now)
    return _claim(session, now, and_(waiting, rested), limit=limit, per_host=per_host, lease=lease)


def claim_for_push(session: Session, source_id: int, now: datetime, *, lease: timedelta) -> bool:
    """Take a source to which something was pushed; where its host is being visited, it is due at once instead."""
    wanted = col(SourceRow.id) == source_id
    if _claim(session, now, wanted, limit=1, per_host=1, lease=lease):
        return True
    session.connection().execute(update(SourceRow).where(wanted).values(next_poll_at=now))
    return False


def _claim(
    session: Session, now: datetime, wanted: Any, *, limit: int, per_host: int, lease: timedelta
) -> dict[str, list[int]]:
    _one_claim_at_a_time(session)
    leased = aliased(SourceRow)
    busy = select(leased.host).where(col(leased.lease_until) > now)
    due = and_(col(SourceRow.state) == "active", col(SourceRow.host).not_in(busy), wanted)
    host, at = col(SourceRow.host), col(SourceRow.next_poll_at)
    rank = func.row_number().over(partition_by=host, order_by=at).label("rank")
    waiting_since = func.min(at).over(partition_by=host).label("waiting_since")
    ranked = select(col(SourceRow.id), host, rank, waiting_since).where(due).subquery()
    by_host = (ranked.c.waiting_since, ranked.c.host, ranked.c.rank)
    fair = select(ranked.c.id).where(ranked.c.rank <= per_host).order_by(*by_host).limit(limit)
    # Asked again while taking: on PostgreSQL another worker may have leased one between the two statements.
    free = or_(col(SourceRow.lease_until).is_(None), col(SourceRow.lease_until) <= now)
    taken = update(SourceRow).where(col(SourceRow.id).in_(fair), free).values(lease_until=now + lease)
    claimed: dict[str, list[int]] = {}
    rows: Any = session.connection().execute(taken.returning(col(SourceRow.id), col(SourceRow.host)))
    for source_id, host in rows:
        claimed.setdefault(host, []).append(source_id)
    return claimed


def _one_claim_at_a_time(session: Session) -> None:
    """Let claims wait for one another: two at once could each take a source of one host. SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIMS})


_CLAIMS = 0x524F  # any number will do, as long as every process of ours asks for the same one


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


def release_leases(session: Session, sources: Sequence[SourceState], *, not_before: datetime | None = None) -> None:
    """Give claimed sources back unvisited, unless somebody else has claimed them meanwhile.

    Args:
        session: An open writing transaction.
        sources: The sources, as they were when they were claimed.
        not_before: Leave them alone until then, aware UTC; what is due later stays so.
    """
    if not sources:
        return
    due = col(SourceRow.next_poll_at)
    later = {"next_poll_at": case((due < not_before, not_before), else_=due)} if not_before else {}
    ours = and_(col(SourceRow.id) == bindparam("claimed"), col(SourceRow.lease_until) == bindparam("until"))
    rows = [{"claimed": source.id, "until": source.lease_until} for source in sources]
    session.connection().execute(update(SourceRow).where(ours).values(lease_until=None, **later), rows)


def list_sources(session: Session) -> list[SourceRow]:
    """Every source with its state, by country and agency."""
    order = (col(SourceRow.country), col(SourceRow.agency), col(SourceRow.slug))
    return list(session.exec(select(SourceRow).order_by(*order)))


def _id(row: SourceRow) -> int:
    if row.id is None:
        raise LookupError(f"source {row.slug} has not been flushed")
    return row.id


def _spec(row: SourceRow) -> SourceSpec:
    return SourceSpec(
        slug=row.slug,
        url=row.url,
        agency=row.agency,
        country=row.country,
        language=Language(row.language),
        kind=SourceKind(row.kind),
        selectors=row.selectors,
        last_verified=row.last_verified,
        note=row.note,
    )


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
        spec=_spec(row),
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
