"""What the links in a mail lead to: the digest in the browser, and the end of the subscription."""

from __future__ import annotations

from contextlib import suppress

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from monitor.core.roles import Role
from monitor.errors import Conflict, NotFound
from monitor.mails import shared_digest
from monitor.store.tables import SubscriberRow
from monitor.subscriptions.links import Doors, subscriber_of
from monitor.subscriptions.unsubscribe import resubscribe, unsubscribe
from monitor.tokens import Purpose, read_token
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.languages import reader_language
from monitor.web.rendering import own_page

router = guarded(Role.PUBLIC)


@router.get("/digests/{token}")
def digest_copy(request: Request, token: str) -> HTMLResponse:
    """The web copy of a digest, for whoever holds its link; it lets nobody act for the reader."""
    app = app_of(request)
    letter = shared_digest(app, read_token(app.key, Purpose.DIGEST, token).row_id)
    response = HTMLResponse(letter.html)
    # A mail carries its styles within: this page alone may.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@router.get("/unsubscribe/{token}")
def ask(request: Request, token: str) -> HTMLResponse:
    """Ask before ending a subscription: mail scanners open every link, and must change nothing."""
    app = app_of(request)
    with app.database.read() as session:
        return _page(request, _reader(session, app.key, token), token)


@router.post("/unsubscribe/{token}")
def end(request: Request, token: str) -> Response:
    """End a subscription: the button's door and the mail program's (RFC 8058): no cookie, no redirect, repeatable."""
    app = app_of(request)
    with app.database.write() as session:
        subscriber = _reader(session, app.key, token)
        if subscriber and subscriber.id:
            unsubscribe(session, subscriber.id, now=app.clock())
    return _page(request, subscriber, token)


@router.post("/unsubscribe/{token}/undo")
def undo(request: Request, token: str) -> Response:
    """Take the subscription up again, with all that was chosen."""
    app = app_of(request)
    with app.database.write() as session:
        subscriber = subscriber_of(session, app.key, Purpose.UNSUBSCRIBE, token)
        with suppress(Conflict):  # a suppressed address stays so, and the page says it
            resubscribe(session, subscriber.id or 0, now=app.clock())
    return _page(request, subscriber, token, again=subscriber.state == "active")


def _reader(session: Session, key: str, token: str) -> SubscriberRow | None:
    """The subscriber that an unsubscribe link stands for, or None where nobody gets mail through it any more.

    A link of ours stays good: whoever had everything deleted, or mail sent elsewhere, is told that nothing comes.
    """
    read_token(key, Purpose.UNSUBSCRIBE, token)
    try:
        return subscriber_of(session, key, Purpose.UNSUBSCRIBE, token)
    except NotFound:
        return None


def _page(request: Request, subscriber: SubscriberRow | None, token: str, *, again: bool = False) -> HTMLResponse:
    app = app_of(request)
    language = reader_language(request, subscriber.language if subscriber else None)
    return own_page(
        request,
        "unsubscribe.html",
        language=language,
        state=subscriber.state if subscriber else "gone",
        again=again,
        found_at=f"/unsubscribe/{token}",
        path=f"/unsubscribe/{token}",
        preferences=Doors("", app.key).preferences(subscriber) if subscriber else "",
        organisation=app.settings.organisation,
    )
