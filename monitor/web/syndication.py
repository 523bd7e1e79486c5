"""Feeds as values, and how they are written (pure). Whatever an agency published stays text in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from monitor.core.languages import Language
from monitor.letters import one_line, web_address

_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A publication in a feed; ``id`` stays the same when the publication changes. Times are aware."""

    id: str
    url: str
    title: str
    language: Language | None
    author: str
    published_at: datetime
    updated_at: datetime
    summary: str
    topics: tuple[str, ...]

    def also_about(self, topic: str) -> Entry:
        """The same publication, which belongs to a further topic."""
        return replace(self, topics=(*self.topics, topic))


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: ``url`` is its own address, ``home`` that of the page with the same news."""

    title: str
    language: Language
    url: str
    home: str
    author: str
    entries: tuple[Entry, ...]
    written_at: datetime


def write_atom(feed: Feed) -> bytes:
    """The feed as Atom (RFC 4287)."""
    root = Element("feed", {"xmlns": _ATOM, _LANG: feed.language.value})
    _add(root, "id", feed.url)
    _add(root, "title", feed.title)
    _add(root, "updated", feed.written_at.isoformat())
    _add(SubElement(root, "author"), "name", feed.author)
    SubElement(root, "link", {"rel": "self", "href": feed.url, "type": "application/atom+xml"})
    SubElement(root, "link", {"rel": "alternate", "href": feed.home, "type": "text/html"})
    for entry in feed.entries:
        _add_entry(root, entry)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _add_entry(root: Element, entry: Entry) -> None:
    node = SubElement(root, "entry", {_LANG: entry.language.value} if entry.language else {})
    _add(node, "id", entry.id)
    _add(node, "title", one_line(entry.title))
    _add(node, "published", entry.published_at.isoformat())
    _add(node, "updated", entry.updated_at.isoformat())
    _add(SubElement(node, "author"), "name", one_line(entry.author))
    if url := web_address(entry.url):
        SubElement(node, "link", {"rel": "alternate", "href": url})
    _add(node, "summary", one_line(entry.summary))
    for topic in entry.topics:
        SubElement(node, "category", {"term": topic})


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _NOT_XML.sub("", text)


def write_json(feed: Feed) -> dict[str, Any]:
    """The feed as JSON Feed 1.1."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "language": feed.language.value,
        "feed_url": feed.url,
        "home_page_url": feed.home,
        "authors": [{"name": feed.author}],
        "items": [_json_item(entry) for entry in feed.entries],
    }


def _json_item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.id,
        "url": web_address(entry.url),
        "title": one_line(entry.title),
        "content_text": one_line(entry.summary),
        "date_published": entry.published_at.isoformat(),
        "date_modified": entry.updated_at.isoformat(),
        "authors": [{"name": one_line(entry.author)}],
        "tags": list(entry.topics),
    }
    return item | ({"language": entry.language.value} if entry.language else {})
