"""From answers to rows: what a round of visits brought is decided and written together.

A commit waits for the disk. One for each source would cost more than all the rest of an unchanged visit, so the visits
of a few seconds share one, items and revisions with the state of their sources. Whoever dies before it has visited for
nothing: the leases run out, and the sources are due again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from monitor.errors import MonitorError
from monitor.polling.decide import Decision, Known, left_out, settle
from monitor.polling.fetch import Failed, FailureKind, Fetched, NotModified, Outcome
from monitor.polling.memory import Memory
from monitor.polling.pace import Plan, Visit, next_visit
from monitor.polling.paging import Further
from monitor.polling.reading import READ, UNCHANGED, Reading, asked_to_store, read
from monitor.store import items
from monitor.store.engine import Database
from monitor.store.hubs import note_offer
from monitor.store.visits import FAILING_AFTER, SourceState, VisitRecord, note_permanent_url, record_visits
from monitor.texts import joined

log = structlog.get_logger(__name__)

PUSHED = "pushed"
"""The outcome, in the history of visits, of what a hub brought."""

_MOVED_AFTER = 3
"""So many identical permanent redirects in a row before the new address is kept: one may be a mistake of the site."""

_FAULTY = Reading("fault", "this service could not take in what the site sent; its log says why")


@dataclass(frozen=True, slots=True)
class Visited:
    """A source that was visited, how the visit ended, and when, in aware UTC; and what further pages of it brought."""

    source: SourceState
    outcome: Outcome
    at: datetime
    further: Further = field(default_factory=Further)


@dataclass(frozen=True, slots=True)
class VisitReport:
    """What came of a visit, for the log and for the one who asked for it.

    ``items`` are the ids of those that are new or changed, and to be matched.
    """

    source_id: int
    slug: str
    outcome: str
    failed: bool = False
    new: int = 0
    changed: int = 0
    items: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Taken:
    """A visit with what its answer held and what that means for the items."""

    visited: Visited
    reading: Reading
    decision: Decision = field(default_factory=Decision)
    left_out: tuple[Known, ...] = ()

    @property
    def source(self) -> SourceState:
        return self.visited.source


def take_in(database: Database, visited: Sequence[Visited], *, rest: timedelta) -> list[VisitReport]:
    """Take in what visits brought, in one transaction; every failure becomes part of its source's state.

    An answer that cannot be taken in by a fault of this service is told in the log and in the state of its source,
    and does not hold up the others.

    Args:
        database: Where to.
        visited: The visits.
        rest: For how long after its visit the host is left alone, by every worker.

    Raises:
        DatabaseBusy: Nothing was written.
    """
    # Reading texts takes time, and nobody can write meanwhile where a transaction may: the decisions come before it.
    # The leases see to it that nobody else changes these sources' items in between.
    with database.read() as session:
        taken = [_take(session, visit) for visit in visited]
    return _write_all(database, taken, rest)


def _take(session: Session, visit: Visited) -> _Taken:
    try:
        return _decided(session, visit)
    except SQLAlchemyError:
        raise
    except Exception:  # whatever a document does to a parser is its own source's trouble alone
        log.exception("an answer could not be read", source=visit.source.spec.slug)
        return _Taken(visit, _FAULTY)


def _decided(session: Session, visit: Visited) -> _Taken:
    memory = Memory(session, visit.source.id)
    reading = _with_further(read(visit.source, visit.outcome, visit.at, recall=memory.recall), visit.further)
    if not reading.keys:
        return _Taken(visit, reading)
    known = memory.known_of(reading.keys)
    decision = settle(known, reading.drafts, reading.seen)
    return _Taken(visit, reading, decision, left_out(known, decision))


def _with_further(reading: Reading, further: Further) -> Reading:
    said = joined(reading.detail, *further.notes)
    return replace(reading, detail=said, drafts=(*reading.drafts, *further.drafts))


def _write_all(database: Database, taken: Sequence[_Taken], rest: timedelta) -> list[VisitReport]:
    try:
        return _write(database, taken, rest)
    except MonitorError:
        raise
    except Exception:
        if len(taken) > 1:  # one by one then: the others are written, and the fault is found
            return [report for one in taken for report in _write_all(database, [one], rest)]
        if taken[0].reading == _FAULTY:
            raise
        log.exception("what a site sent could not be stored", source=taken[0].source.spec.slug)
        return _write_all(database, [_Taken(taken[0].visited, _FAULTY)], rest)


def _write(database: Database, taken: Sequence[_Taken], rest: timedelta) -> list[VisitReport]:
    with database.write() as session:
        written = _write_items(session, taken)
        record_visits(session, [_record(one, rest) for one in taken])
        for one in taken:
            _note_redirect(session, one)
            if offer := one.reading.hub:
                note_offer(session, one.source.id, offer.hub, offer.topic, one.visited.at)
    return [_report(one, written[one.source.id]) for one in taken]


def take_in_push(database: Database, source: SourceState, pushed: Fetched, at: datetime) -> VisitReport:
    """Take in what a hub pushed for a claimed source, and give the source back.

    The pace and the validators of the source stay as they are: a hub may push the new entries alone.

    Raises:
        DatabaseBusy: Nothing was written.
    """
    visit = Visited(replace(source, body_hash=None), pushed, at)
    with database.read() as session:
        taken = replace(_take(session, visit), left_out=())
    with database.write() as session:
        written = _write_items(session, [taken])
        history = {**_poll_row(taken), "outcome": PUSHED if taken.reading.outcome == READ else taken.reading.outcome}
        record_visits(session, [VisitRecord(source, {"lease_until": None}, history)])
    return _report(taken, written[source.id])


def _write_items(session: Session, taken: Sequence[_Taken]) -> Mapping[int, Sequence[int]]:
    """Store what is new and what has changed; the ids of these items, by source."""
    new = items.insert_found(session, [_new_entries(one) for one in taken if one.decision.new])
    changed = {one.source.id: _write_known_items(session, one) if one.reading.keys else () for one in taken}
    return {source_id: [*new.get(source_id, ()), *ids] for source_id, ids in changed.items()}


def _new_entries(taken: _Taken) -> items.NewEntries:
    source, at = taken.source, taken.visited.at
    return items.NewEntries(source.id, source.spec.language.value, taken.decision.new, at, _written(taken))


def _written(taken: _Taken) -> Mapping[str, str]:
    return {draft.key: draft.fingerprint for draft in taken.reading.drafts}


def _write_known_items(session: Session, taken: _Taken) -> Sequence[int]:
    """Write down what the visit told of items that are known; the ids of those that have changed."""
    decision, at, written = taken.decision, taken.visited.at, _written(taken)
    items.rekey_items(session, {old.item_id: new for old, new in decision.rekeyed}, fingerprints=written)
    edited = [(old, new) for old, new in decision.rekeyed if old.content_hash != new.content_hash]
    changes = {old.item_id: new for old, new in (*decision.changed, *edited)}
    items.revise_items(session, changes, at, fingerprints=written)
    again = ((old, written.get(old.key, old.fingerprint)) for old in decision.unchanged)
    items.note_fingerprints(session, {old.item_id: now for old, now in again if old.fingerprint != now})
    items.doubt_items(session, [item.item_id for item in taken.left_out], at)
    items.welcome_items(session, [item.item_id for item in decision.shown if item.missed])
    return list(changes)


def _record(taken: _Taken, rest: timedelta) -> VisitRecord:
    plan = next_visit(_finished(taken), now=taken.visited.at, hints=taken.reading.hints)
    return VisitRecord(taken.source, _source_after(taken, plan, rest), _poll_row(taken))


def _finished(taken: _Taken) -> Visit:
    source, reading, at = taken.source, taken.reading, taken.visited.at
    return Visit(
        slug=source.spec.slug,
        interval=source.interval,
        entries=len(reading.keys),
        new=len(taken.decision.new),
        since_last=at - source.last_success_at if source.last_success_at else None,
        unchanged=reading.outcome == UNCHANGED,
        failures=source.failures + 1 if reading.failed else 0,
    )


def _source_after(taken: _Taken, plan: Plan, rest: timedelta) -> Mapping[str, Any]:
    source, outcome, reading, at = taken.source, taken.visited.outcome, taken.reading, taken.visited.at
    always = {
        "next_poll_at": plan.at,
        "interval_seconds": int(plan.interval.total_seconds()),
        "last_polled_at": at,
        # A host is busy while a source of it is on lease: so it rests between two workers' visits as well.
        "lease_until": at + rest if rest else None,
    }
    if isinstance(outcome, Failed) or reading.failed:
        failures = source.failures + 1
        health = reading.outcome if failures >= FAILING_AFTER else "shaky"
        ended = {"state": "ended"} if reading.outcome == FailureKind.GONE.value else {}
        return {**always, **ended, "failures": failures, "health": health, "last_error": reading.detail}
    asked = {"asked": asked_to_store(reading.hints.asked)} if reading.outcome == READ else {}
    return {
        **always,
        **asked,
        "failures": 0,
        "health": "missed items" if plan.missed else "well",
        "last_error": "",
        "last_success_at": at,
        # A 304 may leave its validators out; the ones it answered to stay good.
        "etag": outcome.etag or (source.etag if isinstance(outcome, NotModified) else None),
        "last_modified": outcome.last_modified or (source.last_modified if isinstance(outcome, NotModified) else None),
        "body_hash": reading.body_hash,
    }


def _poll_row(taken: _Taken) -> Mapping[str, Any]:
    outcome, reading, decision = taken.visited.outcome, taken.reading, taken.decision
    return {
        "source_id": taken.source.id,
        "started_at": taken.visited.at - timedelta(seconds=outcome.duration_seconds),
        "duration_ms": int(outcome.duration_seconds * 1000),
        "outcome": reading.outcome,
        "detail": reading.detail,
        "http_status": outcome.status,
        "body_bytes": reading.body_bytes,
        "entries": len(reading.keys),
        "new_items": len(decision.new),
        "changed_items": len(decision.changed),
        "overlap": decision.overlap if reading.outcome == READ else None,
    }


def _note_redirect(session: Session, taken: _Taken) -> None:
    source, outcome = taken.source, taken.visited.outcome
    if isinstance(outcome, Failed) or taken.reading.failed:
        return
    if outcome.permanent_url or source.permanent_url_seen:
        at = taken.visited.at
        note_permanent_url(session, source, outcome.permanent_url, confirmations=_MOVED_AFTER, now=at)


def _report(taken: _Taken, written: Sequence[int]) -> VisitReport:
    source, reading, decision = taken.source, taken.reading, taken.decision
    return VisitReport(
        source_id=source.id,
        slug=source.spec.slug,
        outcome=reading.outcome,
        failed=reading.failed,
        new=len(decision.new),
        changed=len(decision.changed),
        items=tuple(written),
    )
