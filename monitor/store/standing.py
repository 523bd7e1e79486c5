"""How the service stands, told from the rows: what waits, for how long, and whether it is fit to serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.errors import DatabaseBusy
from monitor.store import queue
from monitor.store.engine import Database
from monitor.store.migrate import newest_version, schema_version
from monitor.store.tables import DigestRow, ItemRow, LetterRow, Outgoing, SourceRow, SubscriberRow


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a process may be sent requests, and what it stands on.

    ``queue_age`` is for how many seconds the oldest job has waited, None without a queue. An old queue does not make a
    process unready: pages that nobody may open would not make the workers faster.
    """

    ready: bool
    database: str
    schema: str
    queue_age: float | None


def check_readiness(database: Database) -> Readiness:
    """Ask the database whether the service can stand on it."""
    try:
        stored, wanted = schema_version(database), newest_version()
        age = _queue_age(database) if stored == wanted else None
    except DatabaseBusy:
        return Readiness(ready=False, database="does not answer", schema="unknown", queue_age=None)
    well = stored == wanted
    schema = str(stored) if well else f"{stored or 'none'}, but this release needs {wanted}: run `monitor db upgrade`"
    return Readiness(ready=well, database="ok", schema=schema, queue_age=age)


def _queue_age(database: Database) -> float | None:
    if database.is_sqlite:
        return None
    with database.read() as session:
        return max((state.age.total_seconds() for state in queue.queue_states(session)), default=0.0)


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number of how the service stands, with its labels; ``name`` is Prometheus's, without ``monitor_``."""

    name: str
    says: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def standing(session: Session, now: datetime) -> list[Gauge]:
    """Every number that the rows tell."""
    gauges = [*_sources(session, now), *_items(session), *_subscribers(session, now)]
    for kind in (DigestRow, LetterRow):
        gauges += _mails(session, kind, now)
    return gauges + _queues(session)


def _sources(session: Session, now: datetime) -> Iterator[Gauge]:
    active = col(SourceRow.state) == "active"
    for health, count in session.exec(select(SourceRow.health, func.count()).where(active).group_by(SourceRow.health)):
        yield Gauge("sources", "Active sources, by their health", count, (("health", health),))
    query = select(func.count(), func.min(SourceRow.next_poll_at)).where(active, SourceRow.next_poll_at <= now)
    due, oldest = session.exec(query).one()
    yield Gauge("sources_due", "Active sources whose visit is due", due)
    yield Gauge("source_lag_seconds", "For how long the source waits that is due longest", _seconds(oldest, now))


def _items(session: Session) -> Iterator[Gauge]:
    waiting = session.exec(select(func.count()).where(ItemRow.matched_revision < ItemRow.revision)).one()
    yield Gauge("items_unmatched", "Items that wait for matching", waiting)


def _subscribers(session: Session, now: datetime) -> Iterator[Gauge]:
    for state, count in session.exec(select(SubscriberRow.state, func.count()).group_by(SubscriberRow.state)):
        yield Gauge("subscribers", "Subscribers, by state", count, (("state", state),))
    active = col(SubscriberRow.state) == "active"
    query = select(func.count(), func.min(SubscriberRow.next_digest_at))
    due, oldest = session.exec(query.where(active, SubscriberRow.next_digest_at <= now)).one()
    yield Gauge("digests_due", "Subscribers whose digest is due and not built", due)
    yield Gauge("digest_lag_seconds", "For how long the digest is due that waits longest", _seconds(oldest, now))


def _mails(session: Session, kind: type[Outgoing], now: datetime) -> Iterator[Gauge]:
    labels = (("kind", str(kind.__tablename__)),)
    waiting = col(kind.state).in_(("built", "sending"))
    count = session.exec(select(func.count()).where(waiting)).one()
    oldest = session.exec(select(func.min(kind.next_attempt_at)).where(waiting, kind.next_attempt_at <= now)).one()
    yield Gauge("mails_waiting", "Mails built and not sent", count, labels)
    yield Gauge("mail_lag_seconds", "For how long the mail is due that waits longest", _seconds(oldest, now), labels)


def _queues(session: Session) -> list[Gauge]:
    gauges = []
    for state in queue.queue_states(session):
        label = ("queue", state.queue)
        for name in ("waiting", "running", "again", "dead"):
            count = getattr(state, name)
            gauges.append(Gauge("queue_jobs", "Jobs in the queue, by state", count, (label, ("state", name))))
        age = state.age.total_seconds()
        gauges.append(Gauge("queue_age_seconds", "For how long the job waits that waits longest", age, (label,)))
    return gauges


def _seconds(since: Any, now: datetime) -> float:
    return (now - since).total_seconds() if since else 0.0
