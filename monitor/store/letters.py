"""Letters: mails for one occasion, such as a confirmation. They wait in rows and are sent as digests are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, delete
from sqlmodel import Session, col

from monitor.core.languages import Language
from monitor.errors import NotFound
from monitor.store.tables import LetterRow
from monitor.store.upsert import insert_new


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter before it is rendered: the name of its templates, the reader's language, and what the templates name."""

    template: str
    language: Language
    values: Mapping[str, Any]


def notice(
    language: Language, title: str, *paragraphs: str, reason: str, action: tuple[str, str] | None = None
) -> Draft:
    """A short letter with one button, or none.

    Args:
        language: The reader's language.
        title: Its subject and heading.
        paragraphs: What it says.
        reason: Why the reader gets it.
        action: What the button says, and where it leads.
    """
    button = action and dict(zip(("name", "url"), action, strict=True))
    values = {"title": title, "paragraphs": paragraphs, "reason": reason, "action": button}
    return Draft("notice", language, values)


def post_letter(
    session: Session,
    kind: str,
    address: str,
    *,
    language: Language,
    payload: Mapping[str, Any],
    domain: str,
    now: datetime,
    about: str = "",
    subscriber_id: int | None = None,
) -> None:
    """Have a letter sent, in the transaction that gives cause for it; a kind goes to an address once a day at most.

    The Message-ID is made of kind, address, day (UTC) and what the letter is about. As it is unique, a letter asked
    for again changes nothing, whoever asks and how often.

    Args:
        session: An open writing transaction.
        kind: What the letter is, for whoever composes it.
        address: To whom, normalised.
        language: The reader's language.
        payload: What the composer needs to know; ids rather than text, and no secrets.
        domain: The domain of the installation, for the Message-ID.
        now: The present, aware UTC.
        about: Tells letters of a kind apart of which one address may get several on a day.
        subscriber_id: Whose letter it is, if anybody's: it vanishes with them.
    """
    row = {
        "kind": kind,
        "address": address,
        "subscriber_id": subscriber_id,
        "language": language.value,
        "payload": dict(payload),
        "state": "built",
        "message_id": _message_id(kind, address, about, now, domain),
        "subject": "",
        "built_at": now,
        "attempts": 0,
        "next_attempt_at": now,
        "last_error": "",
    }
    insert_new(session, LetterRow, [row])


def _message_id(kind: str, address: str, about: str, now: datetime, domain: str) -> str:
    day = now.astimezone(UTC).strftime("%Y%m%d")
    digest = hashlib.sha256(f"{kind}/{address}/{about}/{day}/{domain}".encode()).hexdigest()[:24]
    return f"<{kind}.{day}.{digest}@{domain}>"


def load_letter(session: Session, letter_id: int) -> LetterRow:
    """The letter with this id.

    Raises:
        NotFound: There is none, or no longer.
    """
    row = session.get(LetterRow, letter_id)
    if row is None:
        raise NotFound("this letter does not exist any more")
    return row


def prune_letters(session: Session, before: datetime) -> int:
    """Forget letters built before a time that wait for nothing; the number forgotten."""
    done = and_(col(LetterRow.built_at) < before, col(LetterRow.state).not_in(("built", "sending")))
    return session.connection().execute(delete(LetterRow).where(done)).rowcount
