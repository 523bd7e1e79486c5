"""What was delivered: mails by state, and how many went out, came back or lost a reader each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.core.paging import Page, page_of, read_cursor
from monitor.store.contains import contains
from monitor.store.tables import BounceRow, DigestRow, EventRow, LetterRow, SubscriberRow

MAIL_STATES = ("built", "sending", "sent", "failed", "bounced", "cancelled", "empty")


@dataclass(frozen=True, slots=True)
class Day:
    """A day (UTC) of deliveries."""

    day: date
    sent: int
    failed: int
    bounced: int
    unsubscribed: int


@dataclass(frozen=True, slots=True)
class LoggedMail:
    """A line of the log of deliveries; times are aware UTC. ``subscriber_id`` is None for a letter to a stranger."""

    id: int
    address: str
    subscriber_id: int | None
    kind: str
    subject: str
    state: str
    attempts: int
    built_at: datetime
    next_attempt_at: datetime
    sent_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The mails that wait to be sent: how many, how many of them were tried already, and since when the oldest."""

    count: int
    retried: int
    oldest: datetime | None


def daily(session: Session, now: datetime, *, days: int = 30) -> tuple[Day, ...]:
    """The last days up to today, oldest first, those without mail included."""
    today = now.astimezone(UTC).date()
    start = datetime.combine(today - timedelta(days=days - 1), datetime.min.time(), UTC)
    sent, failed = Counter[date](), Counter[date]()
    for table in (DigestRow, LetterRow):
        sent.update(_by_day(session, table.sent_at, table.sent_at >= start))  # type: ignore[operator]  # a column
        # Nothing moves the time of the next attempt once there is none: it stays minutes after the last.
        failed.update(_by_day(session, table.next_attempt_at, table.next_attempt_at >= start, table.state == "failed"))
    bounced = _by_day(session, BounceRow.at, BounceRow.at >= start)
    left = (EventRow.at >= start, EventRow.noun == "subscriber", EventRow.action == "unsubscribed")
    unsubscribed = _by_day(session, EventRow.at, *left)
    every = [today - timedelta(days=count) for count in range(days - 1, -1, -1)]
    return tuple(Day(day, sent[day], failed[day], bounced[day], unsubscribed[day]) for day in every)


def waiting(session: Session, now: datetime) -> Waiting:
    """The digests and letters that are to be sent now."""
    count, retried = 0, 0
    oldest: list[datetime] = []
    for table in (DigestRow, LetterRow):
        due = (col(table.state).in_(("built", "sending")), table.next_attempt_at <= now)
        columns = (func.count(), func.count(col(table.first_attempt_at)), func.min(table.built_at))
        found, again, first = session.exec(select(*columns).where(*due)).one()
        count, retried, oldest = count + found, retried + again, [*oldest, *([first] if first else [])]
    return Waiting(count, retried, min(oldest, default=None))


def list_mails(
    session: Session,
    kind: type[DigestRow] | type[LetterRow],
    *,
    state: str = "",
    text: str = "",
    after: str = "",
    limit: int = 50,
) -> Page[LoggedMail]:
    """The digests or the letters, the latest first.

    Args:
        session: An open transaction.
        kind: Which of the two.
        state: Only those in a state.
        text: What the address must hold.
        after: The cursor of a page, from the page before.
        limit: How many a page holds.

    Raises:
        Refused: The cursor is none.
    """
    query = _digests() if kind is DigestRow else _letters()
    address = SubscriberRow.address if kind is DigestRow else LetterRow.address
    if state:
        query = query.where(kind.state == state)
    if text:
        query = query.where(contains(address, text))
    if after:
        query = query.where(col(kind.id) < read_cursor(after, int)[0])
    rows = [LoggedMail(*row) for row in session.exec(query.order_by(col(kind.id).desc()).limit(limit + 1))]
    return page_of(rows, limit, lambda row: (row.id,))


_STATE = ("subject", "state", "attempts", "built_at", "next_attempt_at", "sent_at", "last_error")


def _digests() -> Any:
    kind = func.coalesce(SubscriberRow.frequency, "").label("kind")
    columns: Any = (DigestRow.id, SubscriberRow.address, DigestRow.subscriber_id, kind)
    states = (getattr(DigestRow, name) for name in _STATE)
    return select(*columns, *states).join(SubscriberRow, col(SubscriberRow.id) == DigestRow.subscriber_id)


def _letters() -> Any:
    columns: Any = (LetterRow.id, LetterRow.address, LetterRow.subscriber_id, LetterRow.kind)
    return select(*columns, *(getattr(LetterRow, name) for name in _STATE))


def _by_day(session: Session, moment: Any, *wanted: Any) -> Counter[date]:
    """How many rows there are by the day, in UTC, of one of their columns."""
    in_utc = moment if session.get_bind().dialect.name == "sqlite" else func.timezone("UTC", moment)
    day = func.date(in_utc)
    rows: Sequence[Any] = session.exec(select(day, func.count()).where(*wanted).group_by(day)).all()
    return Counter(dict(_days(rows)))


def _days(rows: Sequence[Any]) -> Iterator[tuple[date, int]]:
    for day, count in rows:
        yield (day if isinstance(day, date) else date.fromisoformat(day)), count
