"""What a mail that waits says, and to whom: composed from the rows at the moment it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlmodel import Session

from monitor.app import App
from monitor.core.languages import Language
from monitor.digests.facts import Facts, facts_of_digests
from monitor.digests.render import render_digest
from monitor.digests.select import Links, digest_content
from monitor.digests.shelf import Shelf
from monitor.errors import NotFound
from monitor.letters import Letter, render_letter
from monitor.polling import notices
from monitor.staff import sign_in
from monitor.staff.letters import compose_sign_in
from monitor.store import digests, letters
from monitor.store.letters import Draft
from monitor.store.outgoing import Withheld
from monitor.store.subscribers import Reader
from monitor.store.tables import LetterRow
from monitor.subscriptions.letters import compose
from monitor.texts import marked as _

_STATES = {"unsubscribed": _("unsubscribed"), "suppressed": _("suppressed")}


@dataclass(frozen=True, slots=True)
class Post:
    """A mail ready for its envelope; ``unsubscribe_url`` is of digests only."""

    letter: Letter
    recipient: str
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A stored digest's reader, and what it tells them."""

    reader: Reader
    facts: Facts


def compose_digests(app: App, digest_ids: Sequence[int], *, shelf: Shelf) -> Callable[[int], Post | Withheld]:
    """Read some digests as they are now; what is returned composes each, and raises ``NotFound`` for one that is gone.

    ``shelf`` is shared by the digests of one run.
    """
    told = _read(app, digest_ids, shelf)

    def compose_digest(digest_id: int) -> Post | Withheld:
        if digest_id not in told:
            raise NotFound(digests.GONE)
        one = told[digest_id]
        if one.reader.state != "active":
            state = _STATES.get(one.reader.state, one.reader.state)
            return Withheld(_("the subscriber is %(state)s", state=state))
        links = app.links(one.reader, digest_id)
        return Post(write_digest(app, one, links, shelf), one.reader.address, links.unsubscribe)

    return compose_digest


def _read(app: App, digest_ids: Sequence[int], shelf: Shelf) -> Mapping[int, Told]:
    with app.database.read() as session:
        found = digests.addressed_digests(session, digest_ids)
        facts = facts_of_digests(session, found, shelf)
    return {digest.id: Told(digest.reader, facts[digest.id]) for digest in found}


def write_digest(app: App, told: Told, links: Links, shelf: Shelf) -> Letter:
    """A digest in its reader's words."""
    language, zone = Language(told.reader.language), told.reader.zone
    return render_digest(digest_content(told.facts, language, zone, sender=app.sender, links=links, shelf=shelf))


def compose_letters(app: App, letter_ids: Sequence[int]) -> Callable[[int], Post | Withheld]:  # noqa: ARG001 (as for digests)
    """What composes each of some letters."""
    return partial(_compose_letter, app)


def _compose_letter(app: App, letter_id: int) -> Post | Withheld:
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


def shared_digest(app: App, digest_id: int) -> Letter:
    """A stored digest as its reader sees it, without the links with which whoever holds them acts for the reader.

    People pass web copies on.

    Raises:
        NotFound: There is no such digest.
    """
    shelf = Shelf()
    told = _read(app, [digest_id], shelf).get(digest_id)
    if told is None:
        raise NotFound(digests.GONE)
    return write_digest(app, told, app.shared_links(told.reader, digest_id), shelf)
