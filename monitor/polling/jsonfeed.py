"""Reading a JSON Feed, versions 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.polling.raw import RawEntry, RawFeed, RawText

_VERSION = "https://jsonfeed.org/version/"


def read_json_feed(text: str) -> RawFeed | None:
    """The feed that the JSON in ``text`` is, or None where it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not _string(document, "version").startswith(_VERSION):
        return None
    return RawFeed(
        entries=tuple(_entry(item) for item in _tables(document, "items")),
        title=RawText(_string(document, "title")),
        language=_string(document, "language"),
        hub=next((_string(hub, "url") for hub in _tables(document, "hubs")), ""),
        self_url=_string(document, "feed_url"),
    )


def _entry(item: Mapping[str, Any]) -> RawEntry:
    html, plain = _string(item, "content_html"), _string(item, "content_text")
    tags = item.get("tags")
    return RawEntry(
        guid=_string(item, "id"),
        link=_string(item, "url") or _string(item, "external_url"),
        title=RawText(_string(item, "title")),
        summary=RawText(_string(item, "summary")),
        body=RawText(html, html=True) if html else RawText(plain),
        published=_string(item, "date_published"),
        updated=_string(item, "date_modified"),
        language=_string(item, "language"),
        categories=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def _string(table: Mapping[str, Any], name: str) -> str:
    """A text, or empty; numbers count, because version 1 asks readers to take an ``id`` of any type."""
    value = table.get(name)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _tables(table: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    values = table.get(name)
    return (value for value in values if isinstance(value, dict)) if isinstance(values, list) else ()
