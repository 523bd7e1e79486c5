"""The subscribers and their mail for programs: what the pages /subscribers and /deliveries do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, StringConstraints

from monitor.core.roles import Role
from monitor.mails import shared_digest
from monitor.store.delivery_log import Day, LoggedMail, daily, list_mails
from monitor.store.kept import pause_sending, resume_sending
from monitor.store.outgoing import resend
from monitor.store.subscriber_list import (
    ListedSubscriber,
    SentMail,
    StoredBounce,
    bounces_of,
    mails_of,
    search_subscribers,
)
from monitor.store.subscribers import load_subscriber, suppress, topics_of, unsuppress
from monitor.store.tables import DigestRow, LetterRow
from monitor.web.access import Operator, guarded_api
from monitor.web.api.parts import Cursor, Limit, Listed
from monitor.web.asked import RowId, Word, app_of, read_words

router = guarded_api(Role.OPERATOR, tags=["operator"])

Part = Annotated[str, Query(max_length=254, description="What the address holds.")]
Kind = Annotated[Literal["digest", "letter"], Path()]


class Reason(BaseModel):
    """Why."""

    reason: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] = ""


@dataclass(frozen=True, slots=True)
class SubscriberOut:
    """All that is held about a subscriber."""

    id: int
    address: str
    state: str
    language: str
    frequency: str
    zone: str
    topics: list[str]
    created_at: datetime
    confirmed_at: datetime | None
    consent: dict[str, str]
    next_digest_at: datetime
    mails: list[SentMail]
    bounces: list[StoredBounce]


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says, as text and as an HTML document."""

    subject: str
    text: str
    html: str


@router.get("/subscribers")
def subscribers(
    request: Request, q: Part = "", state: Word = "", cursor: Cursor = "", limit: Limit = 50
) -> Listed[ListedSubscriber]:
    """Subscribers by address."""
    with app_of(request).database.read() as session:
        text = read_words(q)
        found = search_subscribers(session, text=text, state=state, after=cursor, limit=limit)
    return Listed(list(found.rows), found.following or None)


@router.get("/subscribers/{subscriber_id}")
def subscriber(request: Request, subscriber_id: RowId) -> SubscriberOut:
    """One subscriber with the record of consent, what was sent, and what came back."""
    with app_of(request).database.read() as session:
        row = load_subscriber(session, subscriber_id)
        return SubscriberOut(
            id=subscriber_id,
            address=row.address,
            state=row.state,
            language=row.language,
            frequency=row.frequency,
            zone=row.zone,
            topics=topics_of(session, subscriber_id),
            created_at=row.created_at,
            confirmed_at=row.confirmed_at,
            consent=row.consent,
            next_digest_at=row.next_digest_at,
            mails=list(mails_of(session, row)),
            bounces=list(bounces_of(session, subscriber_id)),
        )


@router.post("/subscribers/{subscriber_id}/suppress", status_code=204)
def end_mail(request: Request, subscriber_id: RowId, body: Reason, operator: Operator) -> None:
    """Send a person nothing more."""
    app = app_of(request)
    with app.database.write() as session:
        suppress(session, subscriber_id, reason=body.reason, actor=operator.address, now=app.clock())


@router.post("/subscribers/{subscriber_id}/unsuppress", status_code=204)
def take_up(request: Request, subscriber_id: RowId, operator: Operator) -> None:
    """Take a suppression back."""
    app = app_of(request)
    with app.database.write() as session:
        unsuppress(session, subscriber_id, actor=operator.address, now=app.clock())


@router.get("/deliveries")
def deliveries(request: Request, days: Annotated[int, Query(ge=1, le=366)] = 30) -> list[Day]:
    """How many mails went out, failed, came back and lost a reader, by day (UTC)."""
    app = app_of(request)
    with app.database.read() as session:
        return list(daily(session, app.clock(), days=days))


@router.get("/deliveries/{kind}")
def mails(
    request: Request, kind: Kind, *, q: Part = "", state: Word = "", cursor: Cursor = "", limit: Limit = 50
) -> Listed[LoggedMail]:
    """The digests or the letters, the latest first."""
    with app_of(request).database.read() as session:
        text = read_words(q)
        found = list_mails(session, _table(kind), state=state, text=text, after=cursor, limit=limit)
    return Listed(list(found.rows), found.following or None)


@router.get("/deliveries/digest/{mail_id}/content")
def content(request: Request, mail_id: RowId) -> Content:
    """A digest as its reader sees it, without the links with which whoever holds them acts for the reader."""
    letter = shared_digest(app_of(request), mail_id)
    return Content(letter.subject, letter.text, letter.html)


@router.post("/deliveries/{kind}/{mail_id}/resend", status_code=204)
def send_again(request: Request, kind: Kind, mail_id: RowId, operator: Operator) -> None:
    """Have a mail sent once more, with the same Message-ID."""
    app = app_of(request)
    with app.database.write() as session:
        resend(session, _table(kind), mail_id, actor=operator.address, now=app.clock())


@router.post("/sending/{action}", status_code=204)
def set_sending(request: Request, action: Literal["pause", "resume"], operator: Operator) -> None:
    """Let no mail go out, or let them go out again."""
    app = app_of(request)
    change = pause_sending if action == "pause" else resume_sending
    with app.database.write() as session:
        change(session, actor=operator.address, now=app.clock())


def _table(kind: str) -> type[DigestRow] | type[LetterRow]:
    return DigestRow if kind == "digest" else LetterRow
