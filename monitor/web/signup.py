"""Signing up: the form, the confirmation, and the form that mails a lost link."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from monitor import translations
from monitor.core.roles import Role
from monitor.digests.build import next_digest
from monitor.store.subscribers import find_subscriber
from monitor.store.tables import SignupRow
from monitor.subscriptions.choices import Choice
from monitor.subscriptions.consent import WORDING
from monitor.subscriptions.links import Doors
from monitor.subscriptions.signup import (
    SignupState,
    confirm_signup,
    request_link,
    request_signup,
    signup_of,
    signup_state,
)
from monitor.subscriptions.subscribe import names_of_choice
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.forms import Entered, Posted, choice_options, fresh_entered, known_topics
from monitor.web.languages import reader_language
from monitor.web.limits import within_form_limit
from monitor.web.rendering import own_page, page, too_many_page

router = guarded(Role.PUBLIC)


@router.get("/subscribe")
def form(request: Request) -> HTMLResponse:
    """The sign-up form; ``?topic=`` chooses topics or pillars beforehand."""
    language = reader_language(request)
    app = app_of(request)
    with app.database.read() as session:
        return _form(request, session, fresh_entered(request, language))


@router.post("/subscribe")
def sign_up(request: Request, form: Posted) -> HTMLResponse:
    """Take a request to subscribe; the answer is the same for every address."""
    app = app_of(request)
    entered = Entered.of_form(form)
    with app.database.read() as session:
        options = choice_options(session, reader_language(request), "")
        address = entered.address()
        choice = Choice(entered.topics(known_topics(options)), entered.language(), entered.schedule())
        if entered.errors:
            return _form(request, session, entered, status=422)
    with app.database.write() as session:
        if not within_form_limit(request, session, "signup"):
            return too_many_page(request)
        request_signup(session, address, choice, form="/subscribe", domain=app.settings.mail_domain, now=app.clock())
    return _on_its_way(request, address)


@router.get("/preferences")
def ask_for_link(request: Request) -> HTMLResponse:
    """The form for those who have lost the link to their preferences."""
    return _link_form(request, Entered({}))


@router.post("/preferences")
def mail_link(request: Request, form: Posted) -> HTMLResponse:
    """Mail the link to a subscriber; the answer is the same for every address."""
    app = app_of(request)
    entered = Entered.of_form(form)
    address = entered.address()
    if entered.errors:
        return _link_form(request, entered, status=422)
    with app.database.write() as session:
        if not within_form_limit(request, session, "link"):
            return too_many_page(request)
        request_link(session, address, domain=app.settings.mail_domain, now=app.clock())
    return _on_its_way(request, address)


@router.get("/confirm/{token}")
def ask_to_confirm(request: Request, token: str) -> HTMLResponse:
    """Show what was asked for, with a button: mail scanners open every link, and must confirm nothing."""
    app = app_of(request)
    with app.database.read() as session:
        signup = signup_of(session, app.key, token)
        return _confirmation(request, session, signup, signup_state(session, signup, app.clock()))


@router.post("/confirm/{token}")
def confirm(request: Request, token: str) -> HTMLResponse:
    """Confirm a request to subscribe, once."""
    app = app_of(request)
    with app.database.write() as session:
        signup = signup_of(session, app.key, token, lock=True)
        state = confirm_signup(session, signup, app.clock())
    with app.database.read() as session:
        return _confirmation(request, session, signup, state, done=state is SignupState.WAITING)


def _form(request: Request, session: Session, entered: Entered, *, status: int = 200) -> HTMLResponse:
    app = app_of(request)
    language = reader_language(request)
    return page(
        request,
        "signup.html",
        status=status,
        language=language,
        entered=entered,
        options=choice_options(session, language, entered.text("zone")),
        wording=WORDING,
        settings=app.settings,
    )


def _link_form(request: Request, entered: Entered, *, status: int = 200) -> HTMLResponse:
    language = reader_language(request)
    return page(request, "link.html", status=status, language=language, entered=entered)


def _on_its_way(request: Request, address: str) -> HTMLResponse:
    return own_page(request, "on_its_way.html", language=reader_language(request), address=address)


def _confirmation(
    request: Request, session: Session, signup: SignupRow, state: SignupState, *, done: bool = False
) -> HTMLResponse:
    app = app_of(request)
    choice = Choice.from_json(signup.choice)
    language = reader_language(request, choice.language)
    subscriber = find_subscriber(session, signup.address) if done else None
    return own_page(
        request,
        "confirm.html",
        status=410 if state is SignupState.EXPIRED else 200,
        language=language,
        state=state.name,
        done=done,
        address=signup.address,
        topics=names_of_choice(session, choice.topics, language),
        schedule=translations.schedule_text(choice.schedule, language),
        zone=choice.schedule.zone,
        next_digest=next_digest(subscriber, app.clock()) if subscriber else None,
        preferences=Doors("", app.key).preferences(subscriber) if subscriber else None,
        settings=app.settings,
    )
