"""The preferences of a subscriber, behind a signed link: one page, and one table of what its forms do."""

from __future__ import annotations

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from monitor.core.roles import Role
from monitor.digests.build import next_digest
from monitor.store.personal import own_watches
from monitor.store.subscribers import topics_of
from monitor.subscriptions.address import waiting_change
from monitor.subscriptions.data import erase, export_data
from monitor.subscriptions.keywords import MAX_LENGTH, MOST_KEYWORDS, preview_keyword
from monitor.subscriptions.links import Doors, subscriber_of
from monitor.subscriptions.preferences import SUBSCRIBER
from monitor.texts import marked as _
from monitor.tokens import Purpose
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.forms import Entered, Posted, choice_options, subscriber_entered
from monitor.web.languages import reader_language
from monitor.web.preference_forms import ACTIONS, Answer, Visit
from monitor.web.rendering import own_page

router = guarded(Role.PUBLIC)


@router.get("/preferences/{token}")
def show(request: Request, token: str) -> HTMLResponse:
    """The page with all forms; looking at it changes nothing."""
    app = app_of(request)
    with app.database.read() as session:
        subscriber = subscriber_of(session, app.key, Purpose.MANAGE, token)
        return _page(request, Visit(app, session, subscriber, app.clock()), Answer())


@router.post("/preferences/{token}")
def change(request: Request, token: str, form: Posted) -> HTMLResponse:
    """Do what one of the forms asks for, and show the page again."""
    app = app_of(request)
    entered = Entered.of_form(form)
    action = ACTIONS.get(entered.text("action"))
    if action is None:
        raise HTTPException(400, _("This form is not known here."))
    with app.database.write() as session:
        subscriber = subscriber_of(session, app.key, Purpose.MANAGE, token)
        visit = Visit(app, session, subscriber, app.clock())
        answer = action(visit, entered)
        if entered.errors:
            answer.entered = entered
    # Shown from what is stored now, and without keeping others from writing while the page is made.
    with app.database.read() as session:
        subscriber = subscriber_of(session, app.key, Purpose.MANAGE, token)
        return _page(request, Visit(app, session, subscriber, app.clock()), answer)


@router.get("/preferences/{token}/export")
def export(request: Request, token: str) -> Response:
    """All that is held about the subscriber, as a file."""
    app = app_of(request)
    with app.database.read() as session:
        data = export_data(session, subscriber_of(session, app.key, Purpose.MANAGE, token))
    headers = {"Content-Disposition": 'attachment; filename="roadmap-monitor.json"', "Cache-Control": "no-store"}
    return JSONResponse(data, headers=headers)


@router.get("/preferences/{token}/delete")
def ask_to_delete(request: Request, token: str) -> HTMLResponse:
    """Ask before everything is erased."""
    app = app_of(request)
    with app.database.read() as session:
        subscriber = subscriber_of(session, app.key, Purpose.MANAGE, token)
        language = reader_language(request, subscriber.language)
        return own_page(
            request,
            "delete.html",
            language=language,
            address=subscriber.address,
            back=Doors("", app.key).preferences(subscriber),
            done=False,
        )


@router.post("/preferences/{token}/delete")
def delete(request: Request, token: str) -> HTMLResponse:
    """Erase everything that is held about the subscriber."""
    app = app_of(request)
    with app.database.write() as session:
        subscriber = subscriber_of(session, app.key, Purpose.MANAGE, token)
        language = reader_language(request, subscriber.language)
        erase(session, subscriber, actor=SUBSCRIBER, now=app.clock())
    return own_page(request, "delete.html", language=language, address="", back="", done=True)


def _page(request: Request, visit: Visit, answer: Answer) -> HTMLResponse:
    subscriber, now = visit.subscriber, visit.now
    language = reader_language(request, subscriber.language)
    options = choice_options(visit.session, language, subscriber.zone)
    topics = topics_of(visit.session, visit.subscriber_id)
    stored = subscriber_entered(subscriber, topics, options["topics_total"])
    return own_page(
        request,
        "preferences.html",
        status=422 if answer.entered and answer.entered.errors else 200,
        language=language,
        answer=answer,
        entered=answer.entered or stored,
        preview=preview_keyword(visit.session, *answer.preview, now=now) if answer.preview else None,
        stored=stored,
        options=options,
        subscriber=subscriber,
        next_digest=next_digest(subscriber, now) if subscriber.state == "active" else None,
        paused=subscriber.paused_until if subscriber.paused_until and subscriber.paused_until > now else None,
        change=waiting_change(visit.session, subscriber, now),
        keywords=own_watches(visit.session, [visit.subscriber_id]),
        most_keywords=MOST_KEYWORDS,
        longest_keyword=MAX_LENGTH,
        now=now,
        path=Doors("", visit.app.key).preferences(subscriber),
    )
