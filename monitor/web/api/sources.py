"""The sources for programs: what the pages under /sources do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import BackgroundTasks, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from monitor.core.languages import Language
from monitor.core.nouns import Entry
from monitor.core.paging import page_of, read_cursor
from monitor.core.roles import Role
from monitor.core.sources_file import read_selectors, read_source
from monitor.polling.examine import Offer, examine, try_selectors
from monitor.polling.feed_lists import import_feeds, new_feeds
from monitor.polling.fetch import Failed
from monitor.polling.opml import read_opml, write_opml
from monitor.polling.pages import StructureChanged
from monitor.polling.paging import Paging
from monitor.store.source_list import ListedSource, StoredVisit, list_visits, list_with_health
from monitor.store.sources import (
    change_source,
    end_source,
    find_source,
    load_specs,
    set_source_state,
    store_new_source,
)
from monitor.tasks import visit_now
from monitor.web.access import Editor, guarded_api
from monitor.web.api.parts import Cursor, File, Limit, Listed, Short
from monitor.web.asked import Slug, Word, app_of, read_words
from monitor.web.desk.sources import carry_out

router = guarded_api(Role.VIEWER, tags=["sources"])


class SourceIn(BaseModel):
    """What is written down about a source, as in ``config/sources.toml``."""

    url: Short
    agency: Short
    country: Short
    language: Short
    kind: Short = "feed"
    selectors: dict[Short, Short] = {}
    note: Short = ""


class NewSource(SourceIn):
    """A source that is not there yet."""

    slug: Short


class AddressIn(BaseModel):
    """A feed, a page that lists news, or a site."""

    address: Short


class PageIn(BaseModel):
    """A page that lists publications, and the CSS selectors to read it by."""

    url: Short
    selectors: dict[Short, Short]


class ListIn(BaseModel):
    """An OPML file; country and language are for the feeds that do not say. It is carried out only with ``apply``."""

    text: File
    country: Short = "INT"
    language: Literal["en", "fr", "es"] = "en"
    apply: bool = False


@dataclass(frozen=True, slots=True)
class EntryOut:
    """A publication that an offer shows."""

    title: str
    url: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class OfferOut:
    """One way to read an address."""

    url: str
    kind: str
    title: str
    language: str | None
    selectors: dict[str, str]
    paging: Paging
    entries: list[EntryOut]


@dataclass(frozen=True, slots=True)
class ExaminationOut:
    """What an address offers, or why nothing."""

    offers: list[OfferOut]
    problem: str


@dataclass(frozen=True, slots=True)
class TriedOut:
    """What a page lists under its selectors, or why it cannot be read so."""

    entries: list[EntryOut]
    warnings: list[str]
    problem: str


@dataclass(frozen=True, slots=True)
class FeedOut:
    """A feed of a list that is no source yet."""

    slug: str
    url: str
    agency: str
    country: str
    language: str


@dataclass(frozen=True, slots=True)
class ListOut:
    """The feeds that a list brings, how many were there already, what was left out, and whether they are stored now."""

    fresh: list[FeedOut]
    known: int
    warnings: list[str]
    stored: bool


@dataclass(frozen=True, slots=True)
class AskedOut:
    """Whether the visit has begun; False while the host rests, and the visit comes by the schedule."""

    begun: bool


@router.get("/sources")
def sources(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    country: Word = "",
    language: Word = "",
    condition: Word = "",
) -> list[ListedSource]:
    """The sources with their health."""
    app = app_of(request)
    with app.database.read() as session:
        text = read_words(q)
        return list_with_health(session, app.clock(), text=text, country=country, language=language, state=condition)


@router.get("/sources/{slug}/visits")
def visits(request: Request, slug: Slug, cursor: Cursor = "", limit: Limit = 50) -> Listed[StoredVisit]:
    """The visits to a source, the latest first."""
    before = read_cursor(cursor, int)[0] if cursor else None
    with app_of(request).database.read() as session:
        rows = list_visits(session, find_source(session, slug).id or 0, before_id=before, limit=limit + 1)
    shown = page_of(rows, limit, lambda visit: (visit.id,))
    return Listed(list(shown.rows), shown.following or None)


@router.post("/sources/examine")
async def look(request: Request, body: AddressIn, editor: Editor) -> ExaminationOut:  # noqa: ARG001 - for the role
    """What an address would bring; nothing is stored."""
    app = app_of(request)
    async with app.make_fetcher() as fetcher:
        found = await examine(fetcher, body.address, app.clock())
    return ExaminationOut([_offer_out(offer) for offer in found.offers], found.problem)


@router.post("/sources/selectors")
async def try_page(request: Request, body: PageIn, editor: Editor) -> TriedOut:  # noqa: ARG001 - for the role
    """What a page lists under some selectors; ``/sources/examine`` proposes them. Nothing is stored."""
    app = app_of(request)
    selectors = read_selectors(body.selectors)
    async with app.make_fetcher() as fetcher:
        shown = await try_selectors(fetcher, body.url, selectors, app.clock())
    if isinstance(shown, Failed | StructureChanged):
        return TriedOut([], [], shown.detail)
    return TriedOut(_entries_out(shown.entries), list(shown.warnings), "")


@router.get("/sources.opml")
def export(request: Request) -> Response:
    """The feeds as OPML, for any other feed reader."""
    app = app_of(request)
    with app.database.read() as session:
        specs = load_specs(session)
    return Response(write_opml(specs, now=app.clock()), media_type="text/x-opml")


@router.post("/sources/import")
def import_(request: Request, body: ListIn, editor: Editor) -> ListOut:
    """Which feeds of an OPML list are new, and with ``apply`` store them; those that are there are left alone."""
    app = app_of(request)
    listed, language = read_opml(body.text.encode()), Language(body.language)
    with app.database.write() as session:
        if body.apply:
            now, actor = app.clock(), editor.address
            fresh = import_feeds(session, listed, country=body.country, language=language, actor=actor, now=now)
        else:
            fresh = list(new_feeds(session, listed, country=body.country, language=language))
    feeds = [FeedOut(one.slug, one.url, one.agency, one.country, one.language.value) for one in fresh]
    return ListOut(feeds, len(listed.outlines) - len(fresh), list(listed.warnings), body.apply)


@router.post("/sources", status_code=201)
def add(request: Request, body: NewSource, editor: Editor) -> NewSource:
    """Store a source; its first visit is due at once."""
    app = app_of(request)
    spec = read_source(body.model_dump())
    with app.database.write() as session:
        store_new_source(session, spec, actor=editor.address, now=app.clock())
    return body


@router.put("/sources/{slug}", status_code=204)
def change(request: Request, slug: Slug, body: SourceIn, editor: Editor) -> None:
    """Replace what is written down about a source; its history stays."""
    app = app_of(request)
    spec = read_source({**body.model_dump(), "slug": slug})
    with app.database.write() as session:
        change_source(session, slug, spec, actor=editor.address, now=app.clock())


@router.post("/sources/{slug}/visits", status_code=202)
def visit(request: Request, slug: Slug, editor: Editor, background: BackgroundTasks) -> AskedOut:
    """Have a source visited at once; ``GET`` the visits to see what came of it."""
    app = app_of(request)
    intents = visit_now(app, slug, actor=editor.address)
    if intents:
        background.add_task(carry_out, app, intents)
    return AskedOut(bool(intents))


@router.post("/sources/{slug}/{action}", status_code=204)
def set_state(request: Request, slug: Slug, action: Literal["pause", "resume", "end"], editor: Editor) -> None:
    """Pause a source, resume it, or end it; what it brought stays."""
    app = app_of(request)
    with app.database.write() as session:
        if action == "end":
            end_source(session, slug, actor=editor.address, now=app.clock(), reason="ended through the API")
        else:
            state = "paused" if action == "pause" else "active"
            set_source_state(session, slug, state, actor=editor.address, now=app.clock())


def _offer_out(offer: Offer) -> OfferOut:
    entries = _entries_out(offer.entries)
    language = offer.language.value if offer.language else None
    return OfferOut(offer.url, offer.kind.value, offer.title, language, dict(offer.selectors), offer.paging, entries)


def _entries_out(entries: Sequence[Entry]) -> list[EntryOut]:
    return [EntryOut(entry.title, entry.url, entry.published_at) for entry in entries[:20]]
