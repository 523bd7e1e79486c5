"""Requests that wait for a confirmation: to subscribe, and to get one's mail elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from monitor.errors import NotFound
from monitor.store.tables import AddressChangeRow, SignupRow
from monitor.store.upsert import insert_new
from monitor.texts import marked as _


def save_signup(
    session: Session, address: str, *, choice: Mapping[str, Any], consent: Mapping[str, str], now: datetime
) -> int:
    """Keep a request: one an address and day (UTC), of which the latest choice counts until it is confirmed; its id.

    Every call makes the same statements, whatever is known of the address.
    """
    key = {"address": address, "day": now.astimezone(UTC).date()}
    asked = {"choice": dict(choice), "consent": dict(consent), "requested_at": now}
    insert_new(session, SignupRow, [key | asked])
    latest = update(SignupRow).filter_by(**key).where(col(SignupRow.confirmed_at).is_(None))
    session.connection().execute(latest.values(asked))
    signup_id: int = session.connection().execute(select(SignupRow.id).filter_by(**key)).scalar_one()
    return signup_id


def load_signup(session: Session, signup_id: int, *, lock: bool = False) -> SignupRow:
    """The request with this id; ``lock`` keeps others from confirming it at the same time.

    Raises:
        NotFound: There is none, or no longer.
    """
    row = session.get(SignupRow, signup_id, with_for_update=lock or None)
    if row is None:
        raise NotFound(_("this request does not exist any more"))
    return row


def prune_signups(session: Session, before: datetime) -> int:
    """Forget requests made before a time, confirmed or not; the number forgotten."""
    return session.connection().execute(delete(SignupRow).where(col(SignupRow.requested_at) < before)).rowcount


def prune_address_changes(session: Session, before: datetime) -> int:
    """Forget changes of address asked for before a time that not both addresses confirmed; the number forgotten.

    What was confirmed stays: it tells since when an address is known to work.
    """
    open_side = or_(col(AddressChangeRow.old_confirmed_at).is_(None), col(AddressChangeRow.new_confirmed_at).is_(None))
    over = delete(AddressChangeRow).where(col(AddressChangeRow.requested_at) < before, open_side)
    return session.connection().execute(over).rowcount
