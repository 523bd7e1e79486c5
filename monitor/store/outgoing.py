"""Mail that waits to be sent, digests and letters alike: what is due, claimed for one attempt, and finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Update, and_, bindparam, func, update
from sqlmodel import Session, col, select

from monitor.errors import Conflict
from monitor.store.events import record_event
from monitor.store.tables import DigestRow, LetterRow, Outgoing, PushRow, SubscriberRow
from monitor.texts import marked as _

Kind = TypeVar("Kind", DigestRow, LetterRow, PushRow)
MailKind = TypeVar("MailKind", DigestRow, LetterRow)

ENDED = ("sent", "failed", "bounced", "cancelled")
"""The states in which nothing more happens to a mail by itself."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a mail that waits must not go out any more, such as "the subscriber is unsubscribed"."""

    reason: str


class Claimed(NamedTuple):
    """A mail in hand: what its sending needs of its row. ``attempts`` counts the one that is to be made."""

    id: int
    message_id: str
    built_at: datetime
    attempts: int
    first_attempt_at: datetime


def due_ids(session: Session, kind: type[Kind], now: datetime, *, limit: int) -> Sequence[int]:
    """Mails of a kind whose next attempt is due, those of a worker that died in mid-sending included."""
    query = select(kind.id).where(_deliverable(kind, now)).order_by(col(kind.next_attempt_at)).limit(limit)
    return [row for row in session.exec(query) if row is not None]


def claim(session: Session, kind: type[Kind], ids: Sequence[int], now: datetime, *, lease: timedelta) -> list[Claimed]:
    """Take mails for one attempt at sending each; left out are those that are not due or that somebody else has.

    The lease is the time of the next attempt: should this worker die, the mails become due again by themselves.
    """
    taken = (
        update(kind)
        .where(col(kind.id).in_(ids), _deliverable(kind, now))
        .values(
            state="sending",
            attempts=kind.attempts + 1,
            first_attempt_at=func.coalesce(kind.first_attempt_at, now),
            next_attempt_at=now + lease,
        )
        .returning(*(col(getattr(kind, name)) for name in Claimed._fields))
    )
    return [Claimed(*row) for row in session.connection().execute(taken)]


def release(session: Session, kind: type[Kind], ids: Sequence[int], now: datetime) -> None:
    """Give back mails that were claimed and not tried: they are due at once."""
    held = update(kind).where(col(kind.id).in_(ids), col(kind.state) == "sending")
    session.connection().execute(held.values(state="built", attempts=kind.attempts - 1, next_attempt_at=now))


def finish(session: Session, kind: type[Kind], outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Write the outcomes of attempts: sent, failed, cancelled, or built again with a later next attempt.

    Args:
        session: An open writing transaction.
        kind: Digests, letters or pushes.
        outcomes: For each its ``mail_id``, and the columns that change.
    """
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for outcome in outcomes:
        alike[tuple(outcome)].append(outcome)
    for names, rows in alike.items():
        session.connection().execute(_finished(kind, names), rows)


@cache
def _finished(kind: type[Outgoing], names: tuple[str, ...]) -> Update:
    """The statement that writes these columns; to make one takes longer than to run it."""
    columns: dict[str, Any] = {name: bindparam(name) for name in names if name != "mail_id"}
    return update(kind).where(kind.__table__.c.id == bindparam("mail_id")).values(columns)  # type: ignore[attr-defined]


def put_off(session: Session, kind: type[Kind], until: Mapping[int, datetime]) -> None:
    """Let mails that wait be due later, each at its time; that is no attempt."""
    for mail_id, moment in until.items():
        waiting = update(kind).where(col(kind.id) == mail_id, col(kind.state) == "built")
        session.connection().execute(waiting.values(next_attempt_at=moment))


def send_again(session: Session, kind: type[Kind], mail_id: int, now: datetime) -> bool:
    """Let a mail whose delivery has ended be due anew, with the same Message-ID; False where it has not ended."""
    ended = update(kind).where(col(kind.id) == mail_id, col(kind.state).in_(ENDED))
    values = {"state": "built", "attempts": 0, "first_attempt_at": None, "next_attempt_at": now, "last_error": ""}
    return session.connection().execute(ended.values(values)).rowcount > 0


def recipients(session: Session, kind: type[Kind], ids: Sequence[int]) -> dict[int, str]:
    """The address of each of these mails that still exists."""
    query: Any = select(LetterRow.id, LetterRow.address)
    if kind is DigestRow:
        query = select(DigestRow.id, SubscriberRow.address).join(SubscriberRow)
    return dict(session.exec(query.where(col(kind.id).in_(ids))).all())


def _deliverable(kind: type[Outgoing], now: datetime) -> Any:
    return and_(col(kind.state).in_(("built", "sending")), col(kind.next_attempt_at) <= now)


def resend(
    session: Session, kind: type[DigestRow] | type[LetterRow], mail_id: int, *, actor: str, now: datetime
) -> None:
    """Have a mail sent once more, whatever became of it, with the same Message-ID and a line in the audit trail.

    Raises:
        Conflict: It waits to be sent, held nothing to send, or is not there any more.
    """
    again = (
        send_again(session, DigestRow, mail_id, now)
        if kind is DigestRow
        else send_again(session, LetterRow, mail_id, now)
    )
    if not again:
        raise Conflict(
            _(
                "%(kind)s %(mail_id)s waits to be sent, held nothing to send, or is forgotten",
                kind=kind.__tablename__,
                mail_id=str(mail_id),
            )
        )
    record_event(session, now, actor=actor, action=_("resent"), noun=str(kind.__tablename__), noun_id=str(mail_id))
