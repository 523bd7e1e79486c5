"""Searching the archive: a form that works by its address alone, and its results by keyset."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.paging import cursor
from monitor.core.roles import Role
from monitor.errors import QueryError
from monitor.matching.excerpt import Excerpt, excerpt
from monitor.matching.query import parse_query
from monitor.store.search import Hit, Results, Search, search
from monitor.texts import marked as _
from monitor.web.access import guarded
from monitor.web.asked import app_of, place_of
from monitor.web.forms import topics_by_pillar
from monitor.web.languages import reader_language
from monitor.web.limits import throttled
from monitor.web.rendering import page

router = guarded(Role.PUBLIC)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form holds, as it was typed."""

    q: str = ""
    tongue: str = ""
    topic: str = ""
    since: str = ""
    until: str = ""

    @property
    def address(self) -> str:
        """The search as an address, without a place in its results."""
        return "/search?" + urlencode({name: value for name, value in asdict(self).items() if value})


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit with the sentence that shows why it is one."""

    hit: Hit
    shown: Excerpt


@router.get("/search", dependencies=[Depends(throttled)])
def search_page(request: Request, asked: Annotated[Asked, Depends()], before: str = "") -> HTMLResponse:
    """The form and, where something is asked, a page of what was found."""
    app = app_of(request)
    language = reader_language(request)
    with app.database.read() as session:
        pillars = topics_by_pillar(session, language)
        wanted, errors = read_search(asked, {topic for *_, topics in pillars for topic, _name in topics})
        results, problem = None, None
        if asked.q.strip():
            try:
                parse_query(wanted.query, wanted.language)
                results = search(session, wanted, before=place_of(before)) if not errors else None
            except QueryError as error:
                problem = error
    return page(
        request,
        "search.html",
        status=422 if errors or problem else 200,
        asked=asked,
        errors=errors,
        problem=problem,
        results=results,
        hits=[ShownHit(hit, excerpt(hit.document, hit.evidence)) for hit in results.hits] if results else [],
        more=following_address(asked, results),
        first=not before,
        languages=READER_LANGUAGES,
        pillars=pillars,
    )


def read_search(asked: Asked, topics: Collection[str]) -> tuple[Search, dict[str, str]]:
    """What the form asks for, and what is wrong with it by field; messages are ids of the catalogues."""
    errors: dict[str, str] = {}
    wanted = Search(asked.q)
    if asked.tongue in READER_LANGUAGES:
        wanted = replace(wanted, language=Language(asked.tongue))
    elif asked.tongue:
        errors["tongue"] = _("Choose a language from the list.")
    if asked.topic in topics:
        wanted = replace(wanted, topic=asked.topic)
    elif asked.topic:
        errors["topic"] = _("Choose a topic from the list.")
    since, until = (_day(getattr(asked, name), name, errors) for name in ("since", "until"))
    if since and until and since > until:
        errors["until"] = _("The last day is before the first one.")
    return replace(wanted, since=since, until=until + timedelta(days=1) if until else None), errors


def _day(text: str, name: str, errors: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2200:
        errors[name] = _("Write a day as 2026-11-23.")
        return None
    return datetime.combine(day, time(), UTC)


def following_address(asked: Asked, results: Results | None) -> str:
    """Where the next page of results is; empty at the end."""
    if results is None or results.following is None:
        return ""
    return f"{asked.address}&before={cursor(*results.following)}"
