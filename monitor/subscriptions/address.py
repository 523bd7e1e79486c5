"""A change of address: it takes effect when the old and the new address have both confirmed it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from sqlalchemy import delete
from sqlmodel import Session, col, select

from monitor.core.address import normalised_address
from monitor.core.languages import Language
from monitor.errors import Conflict, NotFound, Refused
from monitor.store.letters import post_letter
from monitor.store.subscribers import delete_subscriber, find_subscriber, load_subscriber
from monitor.store.tables import AddressChangeRow, SubscriberRow
from monitor.subscriptions.letters import LetterKind
from monitor.subscriptions.preferences import note_change
from monitor.subscriptions.subscribe import CONFIRM_WITHIN
from monitor.texts import marked as _
from monitor.tokens import INVALID, Purpose, read_token

SAME_ADDRESS = _("This is the address that you have.")
TAKEN = _("This address has a subscription of its own. End that one first, with the link in its mails.")


class ChangeState(Enum):
    """Where a change of address stands; with ``ONE_SIDE`` one address has confirmed and the other has not."""

    WAITING = auto()
    ONE_SIDE = auto()
    DONE = auto()
    EXPIRED = auto()


def request_address_change(
    session: Session, subscriber: SubscriberRow, address: str, *, domain: str, now: datetime
) -> None:
    """Ask both addresses whether a subscriber's mail is to go to the new one.

    Nothing is said of whether the new address is subscribed already, and it is asked once a day at most.

    Raises:
        Refused: The new address is not valid, or is the one that they have.
    """
    address = normalised_address(address)
    if address == subscriber.address:
        raise Refused(SAME_ADDRESS)
    waiting = waiting_change(session, subscriber, now)
    change = waiting if waiting and waiting.new_address == address else None
    if change is None:
        change = AddressChangeRow(subscriber_id=subscriber.id or 0, new_address=address, requested_at=now)
        session.add(change)
        session.flush()
    note_change(session, subscriber, _("asked for another address"), now)
    # The subscriber may correct a slip at once, hence a letter for each change; the stranger gets one a day.
    old = (LetterKind.OLD_ADDRESS, subscriber.address, str(change.id))
    new = (LetterKind.NEW_ADDRESS, address, "")
    for kind, recipient, about in (old, new):
        post_letter(
            session,
            kind,
            recipient,
            language=Language(subscriber.language),
            payload={"change": change.id},
            about=about,
            domain=domain,
            now=now,
            subscriber_id=subscriber.id,
        )


def waiting_change(session: Session, subscriber: SubscriberRow, now: datetime) -> AddressChangeRow | None:
    """The latest change of address that a subscriber has asked for, if it still waits."""
    theirs = select(AddressChangeRow).where(AddressChangeRow.subscriber_id == subscriber.id)
    latest = session.exec(theirs.order_by(col(AddressChangeRow.id).desc()).limit(1)).one_or_none()
    waits = latest and change_state(latest, now) in {ChangeState.WAITING, ChangeState.ONE_SIDE}
    return latest if waits else None


def change_of(session: Session, key: str, purpose: Purpose, token: str, *, lock: bool = False) -> AddressChangeRow:
    """The change of address that a link to one of the two addresses stands for.

    Raises:
        NotFound: The link is not valid, or so old that the change is forgotten.
    """
    change = session.get(AddressChangeRow, read_token(key, purpose, token).row_id, with_for_update=lock or None)
    if change is None:
        raise NotFound(INVALID)
    return change


def change_state(change: AddressChangeRow, now: datetime) -> ChangeState:
    """Where a change of address stands now."""
    sides = (change.old_confirmed_at, change.new_confirmed_at)
    if all(sides):
        return ChangeState.DONE
    if now >= change.requested_at + CONFIRM_WITHIN:
        return ChangeState.EXPIRED
    return ChangeState.ONE_SIDE if any(sides) else ChangeState.WAITING


def confirm_address_change(session: Session, change: AddressChangeRow, side: Purpose, *, now: datetime) -> ChangeState:
    """Note that one of the two addresses agrees; the state afterwards. Doing it again changes nothing.

    Raises:
        Conflict: The new address has an active subscription of its own.
    """
    if change_state(change, now) in {ChangeState.DONE, ChangeState.EXPIRED}:
        return change_state(change, now)
    if side is Purpose.OLD_ADDRESS:
        change.old_confirmed_at = change.old_confirmed_at or now
    else:
        change.new_confirmed_at = change.new_confirmed_at or now
    session.add(change)
    state = change_state(change, now)
    if state is ChangeState.DONE:
        _move(session, change, now)
    return state


def _move(session: Session, change: AddressChangeRow, now: datetime) -> None:
    subscriber = load_subscriber(session, change.subscriber_id)
    taken = find_subscriber(session, change.new_address)
    if taken and taken.state != "unsubscribed":
        raise Conflict(TAKEN)
    if taken:
        delete_subscriber(session, taken)
    subscriber.address = change.new_address
    # Older mails lie in the old mailbox, which may be a former employer's: their links end here.
    subscriber.link_generation += 1
    session.add(subscriber)
    others = delete(AddressChangeRow).where(col(AddressChangeRow.subscriber_id) == change.subscriber_id)
    session.connection().execute(others.where(col(AddressChangeRow.id) != change.id))
    note_change(session, subscriber, _("changed address"), now)
