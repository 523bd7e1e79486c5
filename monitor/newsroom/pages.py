"""The documents of the sample newsroom: feeds of every format, and an article for each release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as spelled
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from monitor.newsroom.offices import TROUBLES, Office, Release, read_offices
from monitor.shipped import shipped

_ZONE = ZoneInfo("America/Toronto")
_TYPES = {
    "rss": "application/rss+xml",
    "wordpress": "application/rss+xml",
    "atom": "application/atom+xml",
    "rdf": "application/rdf+xml",
    "json": "application/feed+json",
}
_TEMPLATES = {"rss": "rss.xml", "wordpress": "rss.xml", "atom": "atom.xml", "rdf": "rdf.xml"}


@dataclass(frozen=True, slots=True)
class Document:
    """What is served at a path."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A release as it stands in a feed."""

    release: Release
    url: str
    link: str
    guid: str
    at: datetime | None


def documents(base: str, now: datetime, *, edited: bool) -> dict[str, Document]:
    """Every document of the newsroom by its path.

    Args:
        base: The newsroom's address, without a trailing slash.
        now: The newsroom's present, aware; the releases are dated before it.
        edited: Whether to show the second state.
    """
    offices = read_offices()
    found = {"/robots.txt": Document(200, "text/plain", b"User-agent: *\nAllow: /\n")}
    found["/"] = _html("index.html", offices=offices)
    for office in offices:
        shown = [_shown(office, release, base, now) for release in office.at_state(edited=edited)]
        found[office.path] = _feed(office, shown, base)
        found |= {one.url.removeprefix(base): _html("article.html", office=office, one=one) for one in shown}
    troubles = {trouble.path: Document(trouble.status, "text/html", trouble.body.encode()) for trouble in TROUBLES}
    return found | troubles


def _shown(office: Office, release: Release, base: str, now: datetime) -> Shown:
    url = f"{base}{office.folder}/{release.name}.html"
    guid = release.guid or f"tag:{office.slug}.example,2021:{release.name}"
    at = None if release.days is None else (now - timedelta(days=release.days)).astimezone(_ZONE).replace(microsecond=0)
    return Shown(release, url, release.link or url, guid, at)


def _feed(office: Office, shown: list[Shown], base: str) -> Document:
    content_type = _TYPES[office.format]
    if office.format == "json":
        return Document(200, content_type, json.dumps(_json_feed(office, shown, base), ensure_ascii=False).encode())
    text = _environment().get_template(_TEMPLATES[office.format]).render(office=office, shown=shown, base=base)
    return Document(200, content_type, text.encode())


def _json_feed(office: Office, shown: list[Shown], base: str) -> dict[str, object]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": office.agency,
        "home_page_url": base + office.folder,
        "feed_url": base + office.path,
        "language": office.language.value,
        "items": [dict(_json_item(one)) for one in shown],
    }


def _json_item(one: Shown) -> Iterator[tuple[str, str]]:
    yield from (("id", one.guid), ("url", one.link), ("title", one.release.title))
    yield from (("summary", one.release.summary), ("content_html", one.release.body))
    if one.at:
        yield "date_published", one.at.isoformat()


def _html(template: str, **values: object) -> Document:
    return Document(200, "text/html", _environment().get_template(template).render(values).encode())


def _written(at: datetime, office: Office) -> str:
    """A date as the office writes it: by the rules of its format, or in words by a pattern of its own."""
    if office.dates:
        # A fixed offset has no name in CLDR, but Z asks for none; "fr_CA" abbreviates as Canadian agencies do.
        return spelled(at, office.dates, tzinfo=_ZONE, locale=f"{office.language.value}_{office.country}")
    return format_datetime(at) if office.format in {"rss", "wordpress"} else at.isoformat()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(shipped("templates", "newsroom")),
        autoescape=select_autoescape(("html", "xml")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["written"] = _written
    return environment
