"""What follows from mail that comes back: it is counted, and an address that does not take mail gets no more."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlmodel import Session

from monitor.delivery.bounces import (
    Bounced,
    Complained,
    Ignored,
    Returned,
    read_returned,
    refused_for_good,
    suppresses,
)
from monitor.store import bounces
from monitor.store.tables import SubscriberRow


def take_returned(session: Session, raw: bytes, *, address: str, key: str, now: datetime) -> Returned:
    """Read a message that arrived at the address for bounces, and draw the consequences; once for each message.

    Args:
        session: An open writing transaction.
        raw: The message; whatever a stranger may have sent.
        address: Where bounces are received.
        key: The secret key of the installation.
        now: The present, aware UTC.

    Returns:
        What it was, or why nothing follows from it.
    """
    returned = read_returned(raw, address, key)
    if isinstance(returned, Ignored):
        return returned
    mail = bounces.find_mail(session, returned.reference)
    if mail is None:
        return Ignored("about a mail that is forgotten")
    detail = returned.detail if isinstance(returned, Bounced) else "complaint"
    if isinstance(returned, Bounced):
        mail.state, mail.last_error = "bounced", detail
        session.add(mail)
    reader = bounces.find_reader(session, mail)
    if reader is None:
        return Ignored("nobody has this address any more")
    fingerprint = hashlib.sha256(raw).hexdigest()
    if not _count(session, reader, returned, detail=detail, fingerprint=fingerprint, now=now):
        return Ignored("read before")
    return returned


def count_refusal(session: Session, reference: str, detail: str, now: datetime) -> None:
    """Count that the server refused the recipient of a mail, as if a report of it had come."""
    mail = bounces.find_mail(session, reference)
    reader = bounces.find_reader(session, mail) if mail else None
    if mail is None or reader is None:
        return
    returned = Bounced(reference, hard=refused_for_good(detail), detail=detail)
    fingerprint = f"{mail.message_id}/{now.isoformat()}"
    _count(session, reader, returned, detail=detail, fingerprint=fingerprint, now=now)


def _count(
    session: Session,
    reader: SubscriberRow,
    returned: Bounced | Complained,
    *,
    detail: str,
    fingerprint: str,
    now: datetime,
) -> bool:
    kind = "complaint" if isinstance(returned, Complained) else "hard" if returned.hard else "soft"
    if not bounces.record_bounce(
        session, reader, kind=kind, reference=returned.reference, detail=detail, fingerprint=fingerprint, now=now
    ):
        return False
    if isinstance(returned, Complained):
        bounces.end_mail(session, reader, "unsubscribed", detail, now)
    elif suppresses(bounces.bounces_since(session, reader.id or 0, bounces.address_since(session, reader)), now):
        bounces.end_mail(session, reader, "suppressed", detail, now)
    return True
