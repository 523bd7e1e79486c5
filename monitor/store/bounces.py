"""Mail that came back: what it is about, how often it happened, and what it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.store.events import record_event
from monitor.store.tables import AddressChangeRow, BounceRow, DigestRow, LetterRow, SubscriberRow
from monitor.store.upsert import insert_new

ACTOR = "mail server"


@dataclass(frozen=True, slots=True)
class StoredBounce:
    """A line of the log of bounces; ``at`` is aware UTC."""

    at: datetime
    address: str
    state: str
    kind: str
    reference: str
    detail: str


def reference_of(kind: type[DigestRow] | type[LetterRow], mail_id: int) -> str:
    """What a mail is called in its return path: a letter for its kind, and its id."""
    return f"{'d' if kind is DigestRow else 'l'}{mail_id}"


def find_mail(session: Session, reference: str) -> DigestRow | LetterRow | None:
    """The mail of a reference, or None where it is forgotten."""
    mail_id = int(reference[1:])
    if reference[0] == "d":
        return session.get(DigestRow, mail_id)
    return session.get(LetterRow, mail_id) if reference[0] == "l" else None


def find_reader(session: Session, mail: DigestRow | LetterRow) -> SubscriberRow | None:
    """The subscriber to whose present address a mail went, locked; None where nobody has that address now."""
    if isinstance(mail, LetterRow):
        by_address = select(SubscriberRow).where(SubscriberRow.address == mail.address)
        return session.exec(by_address.with_for_update()).one_or_none()
    reader = session.get(SubscriberRow, mail.subscriber_id, with_for_update=True)
    if reader is None or (mail.first_attempt_at or mail.built_at) < address_since(session, reader):
        return None
    return reader


def address_since(session: Session, reader: SubscriberRow) -> datetime:
    """Since when a subscriber's address is known to work: it was confirmed or changed then."""
    query: Any = select(AddressChangeRow.old_confirmed_at, AddressChangeRow.new_confirmed_at).where(
        AddressChangeRow.subscriber_id == reader.id,
        col(AddressChangeRow.old_confirmed_at).is_not(None),
        col(AddressChangeRow.new_confirmed_at).is_not(None),
    )
    since = reader.confirmed_at or reader.created_at
    for old, new in session.exec(query):
        since = max(since, old, new)
    return since


def record_bounce(
    session: Session,
    reader: SubscriberRow,
    *,
    kind: str,
    reference: str,
    detail: str,
    fingerprint: str,
    now: datetime,
) -> bool:
    """Write down that a mail came back; False where this report was written down before."""
    row = {
        "subscriber_id": reader.id,
        "at": now,
        "kind": kind,
        "reference": reference,
        "detail": detail,
        "fingerprint": fingerprint,
    }
    return insert_new(session, BounceRow, [row]) > 0


def bounces_since(session: Session, subscriber_id: int, since: datetime) -> list[tuple[datetime, bool]]:
    """When mail to a subscriber bounced since a time, and whether for good; complaints are none."""
    query = select(BounceRow.at, BounceRow.kind).where(
        BounceRow.subscriber_id == subscriber_id, BounceRow.at >= since, BounceRow.kind != "complaint"
    )
    return [(at, kind == "hard") for at, kind in session.exec(query)]


def end_mail(session: Session, reader: SubscriberRow, state: str, reason: str, now: datetime) -> None:
    """Send a subscriber nothing more, with a line in the audit trail.

    Args:
        session: An open writing transaction.
        reader: The subscriber; whoever gets no mail any more stays as they are.
        state: ``suppressed`` or ``unsubscribed``.
        reason: What the mail server said.
        now: The present, aware UTC.
    """
    if reader.state != "active":
        return
    reader.state = state
    session.add(reader)
    record_event(
        session,
        now,
        actor=ACTOR,
        action=state,
        noun="subscriber",
        noun_id=str(reader.id),
        detail={"reason": reason},
    )


def list_bounces(session: Session, *, limit: int) -> Sequence[StoredBounce]:
    """The latest bounces and complaints, newest first."""
    query: Any = (
        select(
            BounceRow.at,
            SubscriberRow.address,
            SubscriberRow.state,
            BounceRow.kind,
            BounceRow.reference,
            BounceRow.detail,
        )  # type: ignore[call-overload]  # more columns than its overloads name
        .join(SubscriberRow, col(SubscriberRow.id) == col(BounceRow.subscriber_id))
        .order_by(col(BounceRow.id).desc())
        .limit(limit)
    )
    return [StoredBounce(*row) for row in session.exec(query)]
