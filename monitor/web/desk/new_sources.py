"""Taking sources in: by an address that is looked at first, from a feed list, and by hand with a helper for pages."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from monitor.app import App
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import SourceSpec
from monitor.core.roles import Role
from monitor.core.sources_file import SELECTOR_NAMES, read_source
from monitor.errors import Conflict, Refused, SettingError
from monitor.polling.examine import Examination, examine, free_slug, try_selectors
from monitor.polling.feed_lists import import_feeds, new_feeds
from monitor.polling.fetch import Failed, Fetcher
from monitor.polling.opml import FeedList, read_opml
from monitor.polling.pages import StructureChanged
from monitor.store.sources import change_source, find_source, list_sources, store_new_source
from monitor.store.tables import SourceRow
from monitor.texts import marked as _
from monitor.web.access import Editor, guarded
from monitor.web.asked import Slug, app_of
from monitor.web.desk.entries import Uploaded, file_or_text, note_setting, texts
from monitor.web.flash import back_to
from monitor.web.forms import Entered
from monitor.web.limits import throttled
from monitor.web.rendering import own_page

router = guarded(Role.EDITOR, prefix="/sources")


_FIELDS = {f"selectors.{name}": f"selector_{name}" for name in SELECTOR_NAMES} | {"selectors": "selector_item"}


@router.get("/add")
def ask(request: Request) -> HTMLResponse:
    """The form that takes an address."""
    return _add_page(request, Entered({"country": "CA"}))


@router.post("/add", dependencies=[Depends(throttled)])
async def add(request: Request, form: Uploaded, editor: Editor) -> Response:
    """Look at an address and show what it offers, or store the offer that was chosen."""
    entered = texts(form)
    if entered.text("action") == "store":
        return await run_in_threadpool(_store, request, entered, editor.address)
    app = app_of(request)
    if not entered.text("address"):
        entered.errors["address"] = _("Write the address of a feed, of a page that lists news, or of a site.")
        return await run_in_threadpool(_add_page, request, entered)
    address = entered.text("address")
    async with app.make_fetcher() as fetcher:
        found = await examine(fetcher, address if "://" in address else f"https://{address}", app.clock())
    if found.problem:
        entered.errors["address"] = found.problem
    return await run_in_threadpool(_add_page, request, entered, found)


@router.get("/import")
def ask_for_list(request: Request) -> HTMLResponse:
    """The form that takes an OPML file."""
    return _import_page(request, Entered({"country": "CA", "language": "en"}))


@router.post("/import", dependencies=[Depends(throttled)])
async def take_list(request: Request, form: Uploaded, editor: Editor) -> Response:
    """Show the feeds of a list; add them where that is asked for."""
    body = await file_or_text(form, "file")
    return await run_in_threadpool(_take_list, request, body, form, editor.address)


@router.get("/{slug}/edit")
def edit(request: Request, slug: Slug) -> HTMLResponse:
    """The form of what is written down about a source."""
    row = _source(app_of(request), slug)
    return _edit_page(request, row, Entered(_stored(row)))


@router.post("/{slug}/edit", dependencies=[Depends(throttled)])
async def save(request: Request, slug: Slug, form: Uploaded, editor: Editor) -> Response:
    """Try the form on the source's page, or save it."""
    app = app_of(request)
    entered = texts(form)
    row = await run_in_threadpool(_source, app, slug)
    spec = _spec(entered, slug)
    if spec is None:
        return await run_in_threadpool(_edit_page, request, row, entered)
    if entered.text("action") == "try":
        async with app.make_fetcher() as fetcher:
            tried = await _try(app, fetcher, spec)
        return await run_in_threadpool(_edit_page, request, row, entered, tried)
    return await run_in_threadpool(_change, request, row, entered, spec, editor.address)


def _source(app: App, slug: str) -> SourceRow:
    with app.database.read() as session:
        return find_source(session, slug)


async def _try(app: App, fetcher: Fetcher, spec: SourceSpec) -> dict[str, Any]:
    """What the source would bring: titles with their dates, or why there are none."""
    if spec.kind == "page":
        shown = await try_selectors(fetcher, spec.url, spec.selectors, app.clock())
        if isinstance(shown, Failed | StructureChanged):
            return {"problem": shown.detail, "entries": (), "warnings": ()}
        return {"problem": "", "entries": shown.entries, "warnings": shown.warnings}
    found = await examine(fetcher, spec.url, app.clock())
    return {"problem": found.problem, "entries": found.offers[0].entries if found.offers else (), "warnings": ()}


def _change(request: Request, row: SourceRow, entered: Entered, spec: SourceSpec, actor: str) -> Response:
    app = app_of(request)
    try:
        with app.database.write() as session:
            change_source(session, row.slug, spec, actor=actor, now=app.clock())
    except Conflict as error:
        entered.errors["url"] = error.text
        return _edit_page(request, row, entered)
    return back_to(request, f"/sources/{row.slug}", _("The source is saved."))


def _store(request: Request, entered: Entered, actor: str) -> Response:
    app = app_of(request)
    try:
        with app.database.write() as session:
            slug = _free_slug(entered, [row.slug for row in list_sources(session)])
            spec = _spec(entered, slug)
            if spec is not None:
                store_new_source(session, spec, actor=actor, now=app.clock())
    except Conflict as error:
        entered.errors["address"] = error.text
    if entered.errors or spec is None:
        return _add_page(request, entered)
    said = _("Stored as %(slug)s. Its first visit is due now.", slug=spec.slug)
    return back_to(request, f"/sources/{spec.slug}", said)


def _free_slug(entered: Entered, taken: list[str]) -> str:
    return free_slug(entered.text("url"), entered.text("country"), entered.text("language"), taken)


def _spec(entered: Entered, slug: str) -> SourceSpec | None:
    """The source that was typed, or None with a message beside each field that is not right."""
    named = {name: entered.text(f"selector_{name}") for name in SELECTOR_NAMES}
    row = {
        name: entered.text(name) for name in ("url", "agency", "country", "language", "kind", "note", "last_verified")
    }
    try:
        return read_source({**row, "slug": slug, "selectors": {name: text for name, text in named.items() if text}})
    except SettingError as error:
        note_setting(entered, error, _FIELDS)
        return None


def _take_list(request: Request, body: bytes, form: FormData, actor: str) -> Response:
    app = app_of(request)
    entered = texts(form)
    chosen = entered.text("language")
    language = Language(chosen) if chosen in READER_LANGUAGES else Language.EN
    country = entered.text("country").upper()
    try:
        listed = read_opml(body)
        if entered.text("action") != "store":
            with app.database.read() as session:
                fresh = list(new_feeds(session, listed, country=country, language=language))
            return _import_page(request, entered, listed, fresh, body.decode("utf-8", errors="replace"))
        with app.database.write() as session:
            added = import_feeds(session, listed, country=country, language=language, actor=actor, now=app.clock())
    except Refused as error:
        field = "country" if str(error).startswith("country") else "file"
        entered.errors[field] = error.text
        return _import_page(request, entered)
    return back_to(request, "/sources", _("Added: %(added)s. Their first visits are due now.", added=len(added)))


# ---- the pages -----------------------------------------------------------------------------------------------------


def _add_page(request: Request, entered: Entered, found: Examination | None = None) -> HTMLResponse:
    return own_page(
        request,
        "desk/add_source.html",
        status=422 if entered.errors else 200,
        entered=entered,
        found=found,
        languages=READER_LANGUAGES,
    )


def _import_page(
    request: Request,
    entered: Entered,
    listed: FeedList | None = None,
    fresh: list[SourceSpec] | None = None,
    body: str = "",
) -> HTMLResponse:
    return own_page(
        request,
        "desk/import_sources.html",
        status=422 if entered.errors else 200,
        entered=entered,
        listed=listed,
        fresh=fresh or [],
        body=body,
        languages=READER_LANGUAGES,
    )


def _edit_page(request: Request, row: SourceRow, entered: Entered, tried: dict[str, Any] | None = None) -> HTMLResponse:
    return own_page(
        request,
        "desk/edit_source.html",
        status=422 if entered.errors else 200,
        source=row,
        entered=entered,
        tried=tried,
        languages=READER_LANGUAGES,
        selectors=SELECTOR_NAMES,
    )


def _stored(row: SourceRow) -> dict[str, str]:
    named = {f"selector_{name}": row.selectors.get(name, "") for name in SELECTOR_NAMES}
    plain = ("url", "agency", "country", "language", "kind", "note", "last_verified")
    return {name: getattr(row, name) for name in plain} | named
