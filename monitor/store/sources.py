"""Sources: what is written down about them. Who may visit them is in ``claims``, what visits leave in ``visits``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.errors import Conflict, NotFound
from monitor.store.events import record_event
from monitor.store.tables import SourceRow
from monitor.texts import marked as _

FIRST_INTERVAL = timedelta(hours=1)
"""How long after its first visit a source is visited again, before its own pace is known."""


def load_specs(session: Session) -> tuple[SourceSpec, ...]:
    """What is written down about every source that has not ended."""
    rows = session.exec(select(SourceRow).where(SourceRow.state != "ended").order_by(col(SourceRow.slug)))
    return tuple(spec_of(row) for row in rows)


def save_source(
    session: Session, spec: SourceSpec, *, actor: str, now: datetime, applied_hash: str | None = None
) -> int:
    """Create or replace what is written down about a source; a new address forgets the old one's validators.

    ``applied_hash`` is the config file's content that this is. Where it is left out, an edit in the product, the one
    applied before is kept, so that the file is known to differ.

    Raises:
        Conflict: Another source has this address.
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
        _refuse_taken(session, spec)
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
    _refuse_taken(session, spec, col(SourceRow.slug) == spec.slug)
    return save_source(session, spec, actor=actor, now=now)


def _refuse_taken(session: Session, spec: SourceSpec, *or_where: ColumnElement[bool]) -> None:
    held = select(SourceRow.slug).where(or_(col(SourceRow.url) == spec.url, *or_where))
    if (slug := session.exec(held).first()) is not None:
        raise Conflict(_("%(url)s is there already, as %(slug)s", url=spec.url, slug=slug))


def change_source(session: Session, slug: str, spec: SourceSpec, *, actor: str, now: datetime) -> None:
    """Replace what is written down about a source that is there; its slug stays, and so does its history.

    Raises:
        NotFound: There is no such source.
        Conflict: Another source has the new address.
    """
    find_source(session, slug)
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


def set_source_state(session: Session, slug: str, state: str, *, actor: str, now: datetime) -> None:
    """Pause a source or make it active again; made active, it is due at once.

    Raises:
        NotFound: There is no such source.
        Conflict: It is an archive, which has no address to visit.
    """
    row = find_source(session, slug)
    if not row.host:
        raise Conflict(_("source %(slug)s is an archive that was imported: there is no address to visit", slug=slug))
    row.state, row.lease_until = state, None
    if state == "active":
        row.failures, row.next_poll_at = 0, now
    session.add(row)
    record_event(session, now, actor=actor, action=state, noun="source", noun_id=slug)


def end_source(
    session: Session, slug: str, *, actor: str, now: datetime, reason: str, applied_hash: str | None = None
) -> None:
    """Stop visiting a source for good, unless that is so; its items stay.

    Raises:
        NotFound: There is no such source.
    """
    row = find_source(session, slug)
    if row.state == "ended":
        return
    row.state, row.lease_until = "ended", None
    row.applied_hash = row.applied_hash if applied_hash is None else applied_hash
    session.add(row)
    record_event(session, now, actor=actor, action=_("ended"), noun="source", noun_id=slug, detail={"reason": reason})


def list_sources(session: Session) -> list[SourceRow]:
    """Every source with its state, by country and agency."""
    order = (col(SourceRow.country), col(SourceRow.agency), col(SourceRow.slug))
    return list(session.exec(select(SourceRow).order_by(*order)))


def _id(row: SourceRow) -> int:
    if row.id is None:
        raise LookupError(f"source {row.slug} has not been flushed")
    return row.id


def spec_of(row: Any) -> SourceSpec:
    """What is written down about a source, from its row or from a row with its columns."""
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
