"""The subscribers: finding one, and seeing all that is held about them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from monitor.core.roles import Role
from monitor.errors import Conflict
from monitor.store.events import audit_trail
from monitor.store.subscriber_list import STATES, bounces_of, count_by_state, mails_of, search_subscribers
from monitor.store.subscribers import load_subscriber, suppress, topics_of, unsuppress
from monitor.store.watchlist import load_topics
from monitor.texts import marked as _
from monitor.web.access import Operator, guarded
from monitor.web.asked import RowId, Word, app_of, read_words
from monitor.web.desk.entries import read_text
from monitor.web.flash import back_to
from monitor.web.forms import Posted
from monitor.web.rendering import own_page

router = guarded(Role.OPERATOR, prefix="/subscribers")


@router.get("")
def overview(
    request: Request,
    q: Annotated[str, Query(max_length=254)] = "",
    state: Word = "",
    after: Annotated[str, Query(max_length=600)] = "",
) -> HTMLResponse:
    """The subscribers by address, those that a search finds."""
    app = app_of(request)
    with app.database.read() as session:
        found = search_subscribers(session, text=read_words(q), state=state, after=after)
        counts = count_by_state(session)
    asked = {"q": q, "state": state}
    return own_page(
        request,
        "desk/subscribers.html",
        found=found.rows,
        following=f"/subscribers?{urlencode({**asked, 'after': found.following})}" if found.following else "",
        first=f"/subscribers?{urlencode(asked)}" if after else "",
        counts=[(name, counts[name]) for name in STATES],
        total=sum(counts.values()),
        asked=asked,
        now=app.clock(),
    )


@router.get("/{subscriber_id}")
def show(request: Request, subscriber_id: RowId) -> HTMLResponse:
    """One subscriber: state, choice, consent, mails, bounces, and who did what."""
    app = app_of(request)
    with app.database.read() as session:
        row = load_subscriber(session, subscriber_id)
        names = {topic.id: topic.names for topic in load_topics(session)}
        return own_page(
            request,
            "desk/subscriber.html",
            subscriber=row,
            topics=[names.get(topic, {}) for topic in topics_of(session, subscriber_id)],
            every=len(names),
            mails=mails_of(session, row),
            bounces=bounces_of(session, subscriber_id),
            events=audit_trail(session, noun="subscriber", noun_id=str(subscriber_id)),
            now=app.clock(),
        )


@router.post("/{subscriber_id}/suppress")
def end_mail(request: Request, subscriber_id: RowId, form: Posted, operator: Operator) -> Response:
    """Send this person nothing more."""
    app = app_of(request)
    reason = read_text(form, "reason")[:500]
    try:
        with app.database.write() as session:
            suppress(session, subscriber_id, reason=reason, actor=operator.address, now=app.clock())
    except Conflict as error:
        return _failed(request, subscriber_id, error)
    return back_to(request, f"/subscribers/{subscriber_id}", _("Nothing is sent to this address any more."))


@router.post("/{subscriber_id}/unsuppress")
def take_up(request: Request, subscriber_id: RowId, operator: Operator) -> Response:
    """Take the suppression back."""
    app = app_of(request)
    try:
        with app.database.write() as session:
            unsuppress(session, subscriber_id, actor=operator.address, now=app.clock())
    except Conflict as error:
        return _failed(request, subscriber_id, error)
    return back_to(request, f"/subscribers/{subscriber_id}", _("The suppression is taken back."))


def _failed(request: Request, subscriber_id: int, error: Conflict) -> Response:
    return back_to(request, f"/subscribers/{subscriber_id}", error.text, failed=True)
