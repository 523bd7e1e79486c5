"""The sources for programs: what the pages under /sources do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import BackgroundTasks, Path, Query, Request
from pydantic import BaseModel, StringConstraints

from monitor.app import App
from monitor.core.paging import page_of, read_cursor
from monitor.core.roles import Role
from monitor.core.sources_file import read_source
from monitor.polling.examine import examine
from monitor.polling.paging import Paging
from monitor.store.source_list import ListedSource, StoredVisit, list_visits, list_with_health
from monitor.store.sources import change_source, end_source, find_source, set_source_state, store_new_source
from monitor.tasks import visit_now
from monitor.web.access import Editor, guarded_api
from monitor.web.api.public import Cursor, Limit, Listed
from monitor.web.desk.sources import carry_out

router = guarded_api(Role.VIEWER, tags=["sources"])

Slug = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$")]
Short = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, Query(pattern=r"^[\w-]{0,20}$")]


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
    app = _app(request)
    with app.database.read() as session:
        text = q.replace("\0", "").strip()
        return list_with_health(session, app.clock(), text=text, country=country, language=language, state=condition)


@router.get("/sources/{slug}/visits")
def visits(request: Request, slug: Slug, cursor: Cursor = "", limit: Limit = 50) -> Listed[StoredVisit]:
    """The visits to a source, the latest first."""
    before = read_cursor(cursor, int)[0] if cursor else None
    with _app(request).database.read() as session:
        rows = list_visits(session, find_source(session, slug).id or 0, before_id=before, limit=limit + 1)
    shown = page_of(rows, limit, lambda visit: (visit.id,))
    return Listed(list(shown.rows), shown.following or None)


@router.post("/sources/examine")
async def look(request: Request, body: AddressIn, editor: Editor) -> ExaminationOut:  # noqa: ARG001 - for the role
    """What an address would bring; nothing is stored."""
    app = _app(request)
    async with app.make_fetcher() as fetcher:
        found = await examine(fetcher, body.address, app.clock())
    return ExaminationOut([_offer_out(offer) for offer in found.offers], found.problem)


@router.post("/sources", status_code=201)
def add(request: Request, body: NewSource, editor: Editor) -> NewSource:
    """Store a source; its first visit is due at once."""
    app = _app(request)
    spec = read_source(body.model_dump())
    with app.database.write() as session:
        store_new_source(session, spec, actor=editor.address, now=app.clock())
    return body


@router.put("/sources/{slug}", status_code=204)
def change(request: Request, slug: Slug, body: SourceIn, editor: Editor) -> None:
    """Replace what is written down about a source; its history stays."""
    app = _app(request)
    spec = read_source({**body.model_dump(), "slug": slug})
    with app.database.write() as session:
        change_source(session, slug, spec, actor=editor.address, now=app.clock())


@router.post("/sources/{slug}/visits", status_code=202)
def visit(request: Request, slug: Slug, editor: Editor, background: BackgroundTasks) -> AskedOut:
    """Have a source visited at once; ``GET`` the visits to see what came of it."""
    app = _app(request)
    intents = visit_now(app, slug, actor=editor.address)
    if intents:
        background.add_task(carry_out, app, intents)
    return AskedOut(bool(intents))


@router.post("/sources/{slug}/{action}", status_code=204)
def set_state(request: Request, slug: Slug, action: Literal["pause", "resume", "end"], editor: Editor) -> None:
    """Pause a source, resume it, or end it; what it brought stays."""
    app = _app(request)
    with app.database.write() as session:
        if action == "end":
            find_source(session, slug)
            end_source(session, slug, actor=editor.address, now=app.clock(), reason="ended through the API")
        else:
            state = "paused" if action == "pause" else "active"
            set_source_state(session, slug, state, actor=editor.address, now=app.clock())


def _offer_out(offer: Any) -> OfferOut:
    entries = [EntryOut(entry.title, entry.url, entry.published_at) for entry in offer.entries[:20]]
    language = offer.language.value if offer.language else None
    return OfferOut(offer.url, offer.kind.value, offer.title, language, dict(offer.selectors), offer.paging, entries)


def _app(request: Request) -> App:
    app: App = request.app.state.app
    return app
