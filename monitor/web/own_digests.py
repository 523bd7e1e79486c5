"""A subscriber's archive: the digests that went to them, and why a publication did, or did not, come."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.roles import Role
from monitor.digests.why import explain, find_item, sentence
from monitor.errors import NotFound
from monitor.store.digests import digests_of
from monitor.store.tables import SubscriberRow
from monitor.store.watchlist import topic_names
from monitor.subscriptions.links import Doors, subscriber_of
from monitor.tokens import Purpose
from monitor.translations import say
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.languages import reader_language
from monitor.web.rendering import own_page

router = guarded(Role.PUBLIC)

_SHOWN = 200
_LONGEST = 2000


@router.get("/preferences/{token}/digests")
def archive(request: Request, token: str, about: str = "") -> HTMLResponse:
    """The digests of a subscriber; with ``about``, an address of a publication, also why it came or did not."""
    app = app_of(request)
    about = about.strip()[:_LONGEST]
    doors = Doors("", app.key)
    with app.database.read() as session:
        subscriber = subscriber_of(session, app.key, Purpose.MANAGE, token)
        language = reader_language(request, subscriber.language)
        return own_page(
            request,
            "own_digests.html",
            language=language,
            about=about,
            reasons=_reasons(app, session, subscriber, about, language) if about else [],
            digests=[(row, doors.digest(row.id or 0)) for row in digests_of(session, subscriber.id or 0, limit=_SHOWN)],
            back=doors.preferences(subscriber),
            path=f"{doors.preferences(subscriber)}/digests",
            zone=subscriber.zone,
        )


def _reasons(app: App, session: Session, subscriber: SubscriberRow, about: str, language: Language) -> list[str]:
    try:
        item = find_item(session, about)
    except NotFound as error:
        return [say(error.text, language)]
    names = topic_names(session, language)
    reasons = explain(session, subscriber, item, app.clock(), hold=app.settings.hold_for_review)
    return [item.title, *(sentence(reason, language, subscriber.zone, names) for reason in reasons)]
