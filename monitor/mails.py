"""What a mail that waits says, and to whom: composed from the rows at the moment it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from monitor.app import App
from monitor.digests.render import render_digest
from monitor.digests.select import digest_content
from monitor.digests.shelf import Shelf
from monitor.letters import Letter, render_letter
from monitor.polling import notices
from monitor.staff import sign_in
from monitor.staff.letters import compose_sign_in
from monitor.store import digests, letters, subscribers
from monitor.store.letters import Draft
from monitor.store.outgoing import Withheld
from monitor.store.tables import LetterRow
from monitor.subscriptions.letters import compose


@dataclass(frozen=True, slots=True)
class Post:
    """A mail ready for its envelope; ``unsubscribe_url`` is of digests only."""

    letter: Letter
    recipient: str
    unsubscribe_url: str = ""


def compose_digest(app: App, digest_id: int, *, shelf: Shelf | None = None) -> Post | Withheld:
    """A digest as it is to be sent now; ``shelf`` is shared by the digests of one run.

    Raises:
        NotFound: There is no such digest.
    """
    with app.database.read() as session:
        subscriber = subscribers.load_subscriber(session, digests.load_digest(session, digest_id).subscriber_id)
    if subscriber.state != "active":
        return Withheld(f"the subscriber is {subscriber.state}")
    return Post(letter_of(app, digest_id, shelf=shelf), subscriber.address, app.doors.unsubscribe(subscriber))


def compose_letter(app: App, letter_id: int) -> Post | Withheld:
    """A letter as it is to be sent now.

    Raises:
        NotFound: There is no such letter.
    """
    with app.database.read() as session:
        row = letters.load_letter(session, letter_id)
        draft = _draft(app, session, row)
    if isinstance(draft, Withheld):
        return draft
    return Post(render_letter(draft.template, draft.language, sender=app.sender, **draft.values), row.address)


def _draft(app: App, session: Session, row: LetterRow) -> Draft | Withheld:
    match row.kind:
        case notices.BROKEN_SOURCES:
            return notices.compose_broken_sources(row)
        case sign_in.LETTER:
            return compose_sign_in(session, row, key=app.key, base_url=app.settings.base_url)
        case _:
            return compose(session, row, app.doors)


def letter_of(app: App, digest_id: int, *, shared: bool = False, shelf: Shelf | None = None) -> Letter:
    """A stored digest as its reader sees it.

    Args:
        app: The installation.
        digest_id: Which digest.
        shared: Leave out the links with which whoever holds them acts for the reader: people pass web copies on.
        shelf: Shared by the digests of one run.

    Raises:
        NotFound: There is no such digest.
    """
    with app.database.read() as session:
        digest = digests.load_digest(session, digest_id)
        subscriber = subscribers.load_subscriber(session, digest.subscriber_id)
        links = (app.shared_links if shared else app.links)(subscriber, digest_id)
        content = digest_content(session, digest, subscriber, sender=app.sender, links=links, shelf=shelf)
    return render_digest(content)
