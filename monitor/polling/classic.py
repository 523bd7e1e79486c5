"""Reading a feed with feedparser, which knows every format and most of the faults: the judge of all readers."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import feedparser

from monitor.polling.raw import RawEntry, RawFeed, RawText, guessed

_PLAIN = {"text/plain", ""}

# What feedparser takes the square of: open elements (200,000 took 107 s), attributes of one element (100,000: 100 s),
# categories of one entry (20,000: 7 s), and the letters of an author (40,000: 8 s), whom nobody asks for here.
_DEEPEST, _MOST_ATTRIBUTES, _MOST_CATEGORIES = 500, 500, 500
_AUTHOR = re.compile(
    r"(</?(?:[\w.-]+:)?)(?:author|creator|contributor|publisher|owner|managingeditor|webmaster)\b", re.IGNORECASE
)
_CDATA = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_TAG = re.compile(r"<(/?)(?:[\w.-]+:)?([a-z][\w.-]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+)", re.IGNORECASE)
_ENTRIES, _CATEGORIES = frozenset(("item", "entry")), frozenset(("category", "subject", "keywords"))
_VOID = frozenset(("br", "hr", "img", "input", "meta", "wbr"))


def read_with_feedparser(text: str, url: str) -> RawFeed | None:
    """What feedparser finds in ``text``, or None where it finds no feed or would take too long to find it.

    feedparser's sanitiser and its resolver of links inside HTML are off: they take half of its time, and no
    HTML is kept. It gets a stream, because it would take bytes or a string that is the name of a file for one.

    Args:
        text: The document without its XML declaration.
        url: Where it came from, the base of its relative links.
    """
    if _is_too_heavy(text):
        return None
    parsed = feedparser.parse(
        io.BytesIO(_AUTHOR.sub(r"\1unread", text).encode("utf-8", "replace")),
        response_headers={"content-location": url, "content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        return None
    feed = parsed.feed
    atom = parsed.version.startswith("atom")
    return RawFeed(
        entries=tuple(_entry(entry, atom=atom) for entry in parsed.entries),
        title=_text(feed, "title", atom=atom),
        language=feed.get("language") or "",
        hub=_link(feed, "hub"),
        self_url=_link(feed, "self"),
    )


def _is_too_heavy(text: str) -> bool:
    depth = categories = 0
    for closing, name, inside in _TAG.findall(_CDATA.sub("", text)):
        local = name.lower()
        if local in _ENTRIES:
            depth = categories = 0
        elif closing:
            depth -= 1
        elif not inside.endswith("/") and local not in _VOID:
            depth += 1
            categories += local in _CATEGORIES
        attributes = max(inside.count("="), len(inside.split()))
        if depth > _DEEPEST or categories > _MOST_CATEGORIES or attributes > _MOST_ATTRIBUTES:
            return True
    return False


def _entry(entry: Mapping[str, Any], *, atom: bool) -> RawEntry:
    summary, body = _summary_and_body(entry, atom=atom)
    return RawEntry(
        guid=entry.get("id") or "",
        link=entry.get("link") or _link(entry, "alternate"),
        title=_text(entry, "title", atom=atom),
        summary=summary,
        body=body,
        published=_written(entry, "published") or _written(entry, "created"),
        updated=_written(entry, "updated"),
        language=entry.get("language") or entry.get("title_detail", {}).get("language") or "",
        categories=tuple(tag["term"] for tag in entry.get("tags", ()) if tag.get("term")),
    )


def _summary_and_body(entry: Mapping[str, Any], *, atom: bool) -> tuple[RawText, RawText]:
    """The longest ``content`` is the body; feedparser may have copied it to the summary, or the other way."""
    contents = [_typed(part.get("value") or "", part.get("type") or "", atom=atom) for part in entry.get("content", ())]
    body = max(contents, key=lambda text: len(text.value), default=RawText())
    others = [_text(entry, "summary", atom=atom), *contents]
    summary = next((text for text in others if text.value and text.value != body.value), RawText())
    return summary, body


def _text(context: Mapping[str, Any], name: str, *, atom: bool) -> RawText:
    kind = context.get(f"{name}_detail", {}).get("type") or ""
    return _typed(context.get(name) or "", kind, atom=atom)


def _typed(value: str, kind: str, *, atom: bool) -> RawText:
    """Atom says what its texts are; elsewhere ``text/plain`` is feedparser's guess, which misses single tags."""
    if kind in _PLAIN:
        return RawText(value) if atom else guessed(value)
    return RawText(value, html=True)


def _written(entry: Mapping[str, Any], name: str) -> str:
    """A date as written; asked by membership, because feedparser answers ``updated`` with ``published``."""
    return str(entry[name] or "") if name in entry else ""


def _link(context: Mapping[str, Any], relation: str) -> str:
    links = (link for link in context.get("links", ()) if link.get("rel") == relation)
    return next((str(link["href"]) for link in links if link.get("href")), "")
