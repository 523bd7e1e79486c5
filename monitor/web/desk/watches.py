"""The page of one watch: try, test, draft, publish, and go back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.core.roles import Role
from monitor.errors import Conflict
from monitor.matching.backtest import TRIED
from monitor.matching.topics import role
from monitor.store.backtest import Bounds
from monitor.store.watch_drafts import discard_draft, find_draft, publish_draft, save_draft
from monitor.store.watch_history import WatchVersion, roll_back, watch_history
from monitor.store.watchlist import find_topic, find_watch, load_watch, retire_watch
from monitor.texts import marked as _
from monitor.web.access import Editor, guarded
from monitor.web.asked import Slug, app_of
from monitor.web.desk import trials
from monitor.web.desk.diffs import word_diff
from monitor.web.desk.entries import Uploaded, texts
from monitor.web.desk.trials import AS_TYPED, ON_DEMAND, Tested, try_on_text
from monitor.web.desk.watch_form import SPANS, WatchForm, form_of, read_watch
from monitor.web.flash import back_to
from monitor.web.forms import Entered
from monitor.web.limits import throttled
from monitor.web.rendering import own_page

router = guarded(Role.EDITOR, prefix="/watchlist/topics/{topic}")


@router.get("/new")
def new(request: Request, topic: Slug) -> HTMLResponse:
    """The form of a watch that is not there yet; ``query`` and ``language`` may be given."""
    asked = request.query_params
    values = {"key": "", "language": asked.get("language", "any"), "query": asked.get("query", ""), "note": ""}
    form = read_watch(FormData(values), topic, TRIED) if values["query"] else WatchForm(Entered(values))
    return _page(request, topic, "", form)


@router.post("/new", dependencies=[Depends(throttled)])
async def create(request: Request, topic: Slug, form: Uploaded, editor: Editor) -> Response:
    """Do what a button of the form of a new watch asks for."""
    return await _answer(request, topic, "", read_watch(form, topic), editor.address)


@router.get("/watches/{key}")
def show(request: Request, topic: Slug, key: Slug) -> HTMLResponse:
    """A watch with its draft and its history; ``add`` joins a phrase to the query with OR."""
    app = app_of(request)
    with app.database.read() as session:
        watch = _present(session, topic, key)
    if phrase := request.query_params.get("add", "").replace("\0", "").strip():
        watch = replace(watch, query=f"{watch.query}\nOR {phrase}")
    return _page(request, topic, key, form_of(watch))


@router.post("/watches/{key}", dependencies=[Depends(throttled)])
async def change(request: Request, topic: Slug, key: Slug, form: Uploaded, editor: Editor) -> Response:
    """Do what a button of the form of a watch asks for."""
    return await _answer(request, topic, key, read_watch(form, topic, key), editor.address)


@router.post("/watches/{key}/discard")
def discard(request: Request, topic: Slug, key: Slug, editor: Editor) -> HTMLResponse:
    """Forget the draft, and offer to put it back."""
    app = app_of(request)
    with app.database.write() as session:
        draft = discard_draft(session, topic, key, actor=editor.address, now=app.clock())
        gone = find_watch(session, topic, key) is None
    form = form_of(draft.watch)
    return _page(request, topic, "" if gone else key, form, undo=draft.watch)


@router.post("/watches/{key}/retire")
def retire(request: Request, topic: Slug, key: Slug, editor: Editor) -> Response:
    """Switch the watch off."""
    app = app_of(request)
    with app.database.write() as session:
        retire_watch(session, topic, key, actor=editor.address, now=app.clock())
    said = _("The watch is retired. To undo it, roll back to a version of its history.")
    return back_to(request, f"/watchlist/topics/{topic}/watches/{key}#history", said)


@router.post("/watches/{key}/roll-back")
def go_back(request: Request, topic: Slug, key: Slug, form: Uploaded, editor: Editor) -> Response:
    """Make an earlier version live again."""
    app = app_of(request)
    entered = texts(form)
    path = f"/watchlist/topics/{topic}/watches/{key}"
    wanted, seen = _number(entered, "to"), _number(entered, "seen")
    try:
        with app.database.write() as session:
            made = roll_back(session, topic, key, to=wanted, seen=seen, actor=editor.address, now=app.clock())
    except Conflict as error:
        return back_to(request, path, error.text, failed=True)
    said = _("Version %(old)s is live again, as version %(new)s.", old=wanted, new=made)
    return back_to(request, path, said)


@router.post("/preview", dependencies=[Depends(throttled)])
def preview(request: Request, topic: Slug, form: Uploaded) -> HTMLResponse:
    """What the query would find, as a part of the page."""
    key = texts(form).text("key")
    read = read_watch(form, topic, key or TRIED)
    app = app_of(request)
    shown = trials.preview(app, read, AS_TYPED)
    return own_page(request, "desk/watch_preview.html", form=read, preview=shown, now=app.clock())


@router.post("/test", dependencies=[Depends(throttled)])
async def test(request: Request, topic: Slug, form: Uploaded) -> HTMLResponse:
    """What the query finds in one text, as a part of the page."""
    key = texts(form).text("key")
    read = read_watch(form, topic, key or TRIED)
    tested = await _tested(request, read)
    return await run_in_threadpool(own_page, request, "desk/watch_tested.html", form=read, tested=tested)


# ---- what the buttons do -------------------------------------------------------------------------------------------


async def _answer(request: Request, topic: str, key: str, read: WatchForm, actor: str) -> Response:
    action = read.entered.text("action")
    if action not in {"preview", "test", "save", "publish"}:
        raise HTTPException(400, _("This form is not known here."))
    if read.watch is None or action == "preview":
        return await run_in_threadpool(_page, request, topic, key, read, bounds=ON_DEMAND)
    if action == "test":
        tested = await _tested(request, read)
        return await run_in_threadpool(_page, request, topic, key, read, tested=tested)
    return await run_in_threadpool(_keep, request, read, read.watch, actor, publish=action == "publish", known=key)


def _keep(request: Request, read: WatchForm, watch: Watch, actor: str, *, publish: bool, known: str) -> Response:
    """Keep the form as a draft, and publish it if so asked."""
    app = app_of(request)
    path = f"/watchlist/topics/{watch.topic}/watches/{watch.key}"
    try:
        with app.database.write() as session:
            if not known:
                _check_free(session, watch)
            save_draft(session, watch, actor=actor, now=app.clock())
            if not publish:
                return back_to(request, path, _("The draft is saved. Nothing changes until it is published."))
            seen = _number(read.entered, "seen")
            made = publish_draft(session, watch.topic, watch.key, seen=seen, actor=actor, now=app.clock())
    except Conflict as error:
        read.entered.errors["query" if known else "key"] = error.text
        return _page(request, watch.topic, known, read)
    said = _("Version %(number)s is live. What came in during the last two weeks is matched again.", number=made)
    return back_to(request, path, said)


async def _tested(request: Request, read: WatchForm) -> Tested | None:
    if read.watch is None:
        return None
    return await try_on_text(app_of(request), read.watch, read.entered.text("sample"))


def _check_free(session: Session, watch: Watch) -> None:
    if find_watch(session, watch.topic, watch.key) or find_draft(session, watch.topic, watch.key):
        raise Conflict(
            _("topic %(topic)s has a watch %(key)s already; take another key", topic=watch.topic, key=watch.key)
        )


# ---- the page ------------------------------------------------------------------------------------------------------


def _page(
    request: Request,
    topic: str,
    key: str,
    form: WatchForm,
    *,
    bounds: Bounds = AS_TYPED,
    tested: Tested | None = None,
    undo: Watch | None = None,
) -> HTMLResponse:
    app = app_of(request)
    with app.database.read() as session:
        values = _values(session, topic, key)
    shown = trials.preview(app, form, bounds)
    return own_page(
        request,
        "desk/watch.html",
        status=422 if form.entered.errors else 200,
        form=form,
        entered=form.entered,
        preview=shown,
        tested=tested,
        undo=undo,
        spans=[(value, name) for value, (name, _) in SPANS.items()],
        languages=list(Language),
        now=app.clock(),
        **values,
    )


def _values(session: Session, topic: str, key: str) -> dict[str, Any]:
    """What the page shows of what is stored."""
    row = find_topic(session, topic)
    live = find_watch(session, topic, key) if key else None
    draft = find_draft(session, topic, key) if key else None
    history = watch_history(session, topic, key) if key else ()
    return {
        "topic": row,
        "key": key,
        "role": role(key) if key else None,
        "live": live,
        "draft": draft,
        "behind": bool(draft and live and draft.based_on != live.version),
        "draft_changes": word_diff(live.query, draft.watch.query) if live and draft else (),
        "history": [(version, _change(history, number)) for number, version in enumerate(history)],
    }


def _change(history: tuple[WatchVersion, ...], number: int) -> Any:
    """How a version differs from the one before it."""
    before = history[number + 1].query if number + 1 < len(history) else ""
    return word_diff(before, history[number].query) if before else ()


def _present(session: Session, topic: str, key: str) -> Watch:
    """The draft if there is one, else what is live.

    Raises:
        NotFound: There is neither.
    """
    find_topic(session, topic)
    if draft := find_draft(session, topic, key):
        return draft.watch
    row = load_watch(session, topic, key)
    return Watch(row.topic_id, row.key, Language(row.language), row.query, row.note, row.version)


def _number(entered: Entered, name: str) -> int:
    """A number that a form of ours carries.

    Raises:
        HTTPException: The form is not one of ours.
    """
    text = entered.text(name)
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise HTTPException(400, _("This form is not known here."))
    return int(text)
