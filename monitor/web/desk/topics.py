"""The pages of one topic: its name, its threshold, its watches, and words that it might be found by."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Topic
from monitor.core.roles import Role
from monitor.errors import Conflict, NotFound, Refused, SettingError
from monitor.matching.topics import DEFAULT_THRESHOLD, read_topic
from monitor.store import watchlist
from monitor.store.suggest import suggest_phrases
from monitor.store.tables import TopicRow
from monitor.store.watch_drafts import list_drafts
from monitor.store.watch_list import list_watches
from monitor.texts import marked as _
from monitor.web.access import Editor, guarded, needs
from monitor.web.asked import Slug, app_of
from monitor.web.desk.entries import Uploaded, note_setting, texts
from monitor.web.flash import back_to
from monitor.web.forms import Entered
from monitor.web.limits import throttled
from monitor.web.rendering import own_page

router = guarded(Role.VIEWER, prefix="/watchlist")

AsEditor = Depends(needs(Role.EDITOR))

READ_FOR_SUGGESTIONS = 1_000
"""Items of the rest of the archive that suggestions compare with: a person waits for them."""

_FIELDS = {f"name.{language}": f"name_{language}" for language in READER_LANGUAGES}


@router.get("/new-topic", dependencies=[AsEditor])
def new(request: Request) -> HTMLResponse:
    """The form of a topic that is not there yet."""
    return _form(request, Entered({"threshold": str(DEFAULT_THRESHOLD)}))


@router.post("/new-topic")
def create(request: Request, form: Uploaded, editor: Editor) -> Response:
    """Make a topic; people can follow it at once."""
    entered = texts(form)
    topic = _read(request, entered, entered.text("id"))
    if topic is None:
        return _form(request, entered)
    app = app_of(request)
    with app.database.write() as session:
        if session.get(TopicRow, topic.id) is not None:
            entered.errors["id"] = _("There is a topic of this name already, perhaps a retired one.")
        else:
            watchlist.save_topic(session, topic, actor=editor.address, now=app.clock())
    if entered.errors:
        return _form(request, entered)
    return back_to(request, f"/watchlist/topics/{topic.id}", _("The topic is there. Give it a watch now."))


@router.get("/topics/{topic}")
def show(request: Request, topic: Slug) -> HTMLResponse:
    """A topic with its watches."""
    return _page(request, topic)


@router.post("/topics/{topic}")
def change(request: Request, topic: Slug, form: Uploaded, editor: Editor) -> Response:
    """Save the name, the pillar and the threshold."""
    app = app_of(request)
    entered = texts(form)
    changed = _read(request, entered, topic)
    if changed is None:
        return _page(request, topic, entered)
    with app.database.write() as session:
        if not watchlist.find_topic(session, topic).active:
            raise Conflict(_("topic %(topic)s is retired; make it active again first", topic=topic))
        watchlist.save_topic(session, changed, actor=editor.address, now=app.clock())
    return back_to(request, f"/watchlist/topics/{topic}", _("The topic is saved."))


@router.post("/topics/{topic}/retire")
def retire(request: Request, topic: Slug, editor: Editor) -> Response:
    """Switch the topic off, with its watches."""
    app = app_of(request)
    with app.database.write() as session:
        watchlist.retire_topic(session, topic, actor=editor.address, now=app.clock())
    return back_to(request, f"/watchlist/topics/{topic}", _("The topic and its watches are retired."))


@router.post("/topics/{topic}/restore")
def restore(request: Request, topic: Slug, editor: Editor) -> Response:
    """Switch the topic on again, with the watches that were retired with it."""
    app = app_of(request)
    with app.database.write() as session:
        count = watchlist.restore_topic(session, topic, actor=editor.address, now=app.clock())
    return back_to(
        request, f"/watchlist/topics/{topic}", _("The topic is active again; watches: %(count)s.", count=count)
    )


@router.get("/topics/{topic}/suggestions", dependencies=[AsEditor, Depends(throttled)])
def suggestions(request: Request, topic: Slug) -> HTMLResponse:
    """Words that set the topic's items apart from all others."""
    app = app_of(request)
    language = _language(request)
    with app.database.read() as session:
        row = watchlist.find_topic(session, topic)
        topics = app.live.matcher(session).topics
        if topic not in topics:
            raise NotFound(_("topic %(topic)s is retired; make it active again first", topic=topic))
        found, items = suggest_phrases(session, topics[topic], language, others=READ_FOR_SUGGESTIONS)
        watches = [watch for watch in list_watches(session, topic) if watch.active]
    into = next((watch.key for watch in watches if watch.language == language), "")
    return own_page(
        request,
        "desk/suggestions.html",
        topic=row,
        found=found,
        items=items,
        wanted=language,
        languages=READER_LANGUAGES,
        into=into,
    )


def _language(request: Request) -> Language:
    asked = request.query_params.get("language", "")
    return Language(asked) if asked in READER_LANGUAGES else Language.EN


def _read(request: Request, entered: Entered, topic: str) -> Topic | None:
    """The topic that was typed, or None with a message beside each field that is not right."""
    app = app_of(request)
    with app.database.read() as session:
        pillars = [pillar.id for pillar in watchlist.load_pillars(session)]
    row = {
        "id": topic,
        "pillar": entered.text("pillar"),
        "name": {str(language): entered.text(f"name_{language}")[:200] for language in READER_LANGUAGES},
        "threshold": _share(entered.text("threshold")),
        "needs_neighbours": entered.text("needs_neighbours") == "yes",
    }
    try:
        return read_topic(row, pillars)
    except SettingError as error:
        note_setting(entered, error, _FIELDS)
    except Refused:
        entered.errors["id"] = _("Use small letters, digits and single hyphens, as in arctic-council.")
    return None


def _share(text: str) -> float | str:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _page(request: Request, topic: str, entered: Entered | None = None) -> HTMLResponse:
    app = app_of(request)
    with app.database.read() as session:
        row = watchlist.find_topic(session, topic)
        values = {**_options(session), "watches": list_watches(session, topic), "drafts": list_drafts(session, topic)}
    return own_page(
        request,
        "desk/topic.html",
        status=422 if entered and entered.errors else 200,
        topic=row,
        entered=entered or Entered(_stored(row)),
        now=app.clock(),
        **values,
    )


def _form(request: Request, entered: Entered) -> HTMLResponse:
    app = app_of(request)
    with app.database.read() as session:
        options = _options(session)
    return own_page(
        request, "desk/new_topic.html", status=422 if entered.errors else 200, entered=entered, topic=None, **options
    )


def _options(session: Session) -> dict[str, Any]:
    return {"pillars": watchlist.load_pillars(session), "languages": READER_LANGUAGES}


def _stored(row: TopicRow) -> dict[str, Any]:
    return {
        "pillar": row.pillar_id,
        "threshold": f"{row.threshold:g}",
        "needs_neighbours": "yes" if row.needs_neighbours else "",
        **{f"name_{language}": row.names.get(language, "") for language in READER_LANGUAGES},
    }
