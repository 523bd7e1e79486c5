"""An item's page, permanent and citable: the evidence, when and how its text was read, and how it changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from fastapi import Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from monitor.core.changes import Piece, changes
from monitor.core.citation import Citation, as_bibtex, as_ris
from monitor.core.ids import read_id
from monitor.core.languages import Language
from monitor.core.roles import Role
from monitor.core.text import unaccent
from monitor.letters import web_address
from monitor.matching.excerpt import Excerpt, excerpt
from monitor.store.dossiers import Dossier, Version, load_dossier
from monitor.store.watchlist import topic_names
from monitor.translations import full_day, translations
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.languages import reader_language
from monitor.web.rendering import page

router = guarded(Role.PUBLIC)

_REFERENCE = re.compile(r"(\d+)(?:-[\w-]*)?", re.ASCII)
_LONGEST_SLUG = 60
_MOST_EXCERPTS = 24
_LONGEST_TEXT = 60_000  # characters of a text that are shown, and of each version that are compared


@dataclass(frozen=True, slots=True)
class ShownTopic:
    """A topic that the item is about, with the sentence that shows it, and the terms that were found."""

    id: str
    name: str
    percent: int
    worthy: bool
    shown: Excerpt | None
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A version of the item and how it differs from the one before: the pieces of title, summary and text."""

    version: Version
    title: tuple[Piece, ...]
    summary: tuple[Piece, ...]
    body: tuple[Piece, ...]


@router.get("/items/{reference}/citation.ris")
def ris(request: Request, reference: str) -> Response:
    """The citation as a file for a reference manager."""
    dossier = _dossier(request, reference)
    return _download(
        as_ris(_citation(request, dossier)), f"{dossier.item_id}.ris", "application/x-research-info-systems"
    )


@router.get("/items/{reference}/citation.bib")
def bibtex(request: Request, reference: str) -> Response:
    """The citation as a BibTeX file."""
    dossier = _dossier(request, reference)
    return _download(as_bibtex(_citation(request, dossier)), f"{dossier.item_id}.bib", "application/x-bibtex")


@router.get("/items/{reference}")
def show_item(request: Request, reference: str) -> HTMLResponse:
    """All that is kept of an item; what follows its number in the address is for people alone."""
    app = app_of(request)
    language = reader_language(request)
    dossier = _dossier(request, reference)
    with app.database.read() as session:
        names = topic_names(session, language)
    citation = _citation(request, dossier)
    response = page(
        request,
        "item.html",
        dossier=dossier,
        topics=_topics(dossier, names),
        changes=[_change(*pair) for pair in reversed(list(pairwise(dossier.versions)))],
        paragraphs=paragraphs(dossier.document.body or dossier.document.summary),
        citation=citation,
        cited=citation_text(citation, language),
        path=item_path(dossier.item_id),
        slugged=item_path(dossier.item_id, dossier.document.title),
    )
    response.headers["Link"] = f'<{citation.archive_url}>; rel="canonical"'
    return response


def item_path(item_id: int, title: str = "") -> str:
    """The path of an item's page; with its title, an address that tells something."""
    words = re.sub(r"[^a-z0-9]+", "-", unaccent(title).lower())[: _LONGEST_SLUG + 1].strip("-")
    slug = words if len(words) <= _LONGEST_SLUG else words.rpartition("-")[0]
    return f"/items/{item_id}-{slug}" if slug else f"/items/{item_id}"


def paragraphs(text: str) -> list[str]:
    """The lines of a text that hold something; what is longer than a page should be is cut."""
    return [line for line in text[:_LONGEST_TEXT].splitlines() if line.strip()]


def citation_text(citation: Citation, language: Language) -> str:
    """The citation as a sentence in the reader's language."""
    say = translations(language)
    when = full_day(citation.published_at, language, "UTC") if citation.published_at else say.gettext("no date")
    parts = {
        "agency": citation.agency,
        "title": citation.title,
        "day": when,
        "url": citation.url,
        "read": full_day(citation.read_at, language, "UTC"),
        "archive": citation.archive_url,
    }
    text = say.gettext("%(agency)s. “%(title)s.” %(day)s. %(url)s. Read on %(read)s; kept at %(archive)s.") % parts
    return " ".join(text.replace(". .", ".").split())


def _dossier(request: Request, reference: str) -> Dossier:
    found = _REFERENCE.fullmatch(reference)
    with app_of(request).database.read() as session:
        return load_dossier(session, read_id(found[1] if found else ""))


def _citation(request: Request, dossier: Dossier) -> Citation:
    app = app_of(request)
    return Citation(
        item_id=dossier.item_id,
        agency=dossier.document.agency,
        title=dossier.document.title,
        url=web_address(dossier.url),
        language=dossier.language,
        published_at=dossier.published_at,
        read_at=dossier.present.seen_at,
        archive_url=f"{app.settings.base_url.rstrip('/')}{item_path(dossier.item_id)}",
        content_hash=dossier.present.content_hash,
    )


def _topics(dossier: Dossier, names: dict[str, str]) -> list[ShownTopic]:
    return [
        ShownTopic(
            id=found.topic,
            name=names[found.topic],
            percent=round(found.score * 100),
            worthy=found.worthy,
            shown=excerpt(dossier.document, found.evidence) if found.is_current else None,
            terms=tuple(dict.fromkeys(place.term for place in found.evidence)),
        )
        for found in dossier.found[:_MOST_EXCERPTS]
        if found.topic in names
    ]


def _change(before: Version, after: Version) -> Change:
    texts = ((getattr(before, name), getattr(after, name)) for name in ("title", "summary", "body"))
    return Change(after, *(changes(old[:_LONGEST_TEXT], new[:_LONGEST_TEXT]) for old, new in texts))


def _download(text: str, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="roadmap-monitor-{name}"'}
    return PlainTextResponse(text, headers=headers, media_type=media_type)
