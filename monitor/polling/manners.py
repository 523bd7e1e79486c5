"""Headers as good manners read and write them: what to ask with, how long to stay away, how long to trust.

Pure functions over header values; the time is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

LONGEST_WAIT = timedelta(hours=24)
"""However long a header asks for, the source is looked at once a day: a typing error must not end it."""

_LONGEST_KEPT = 1024
"""Validators are sent back at each visit: one of 32 KB would earn a 431 for ever."""

_ZERO = timedelta(0)
_DIRECTIVE = re.compile(r'([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;]*)))?', re.IGNORECASE)
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"[^"]*"|[^\s",;]*))?)*)')
_LINK_PARAMETER = re.compile(r';\s*([\w!#$&+.^`|~*-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s",;]*)))?')


@dataclass(frozen=True, slots=True)
class Link:
    """One target of a ``Link`` header (RFC 8288): an absolute address and its relations in lower case."""

    url: str
    rels: tuple[str, ...]


def request_headers(accept: str, etag: str | None, last_modified: str | None) -> dict[str, str]:
    """What to ask with: ``If-None-Match`` and ``If-Modified-Since`` spare the site an answer that we have."""
    headers = {"Accept": accept}
    if etag := printable(etag):
        headers["If-None-Match"] = etag
    if last_modified := printable(last_modified):
        headers["If-Modified-Since"] = last_modified
    return headers


def printable(value: str | None) -> str | None:
    """A header that can be stored and sent back (printable ASCII, up to 1,024 characters), or None."""
    usable = value and len(value) <= _LONGEST_KEPT and value.isascii() and value.isprintable()
    return value if usable else None


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """How long a ``Retry-After`` header asks to stay away (RFC 9110, 10.2.3).

    Args:
        value: The header, in seconds or as an HTTP date, or None where there is none.
        now: Aware time of the answer.

    Returns:
        From zero (a date that has passed) to ``LONGEST_WAIT``; None if the header is absent or cannot be read.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return _bounded(_seconds(text))
    moment = _http_date(text)
    return None if moment is None else _bounded(moment - now)


def freshness(
    cache_control: str | None, expires: str | None, age: str | None, date: str | None, now: datetime
) -> timedelta | None:
    """How long an answer stays fresh for a private cache, by its own headers (RFC 9111, 4.2).

    ``max-age`` wins over ``Expires``; ``s-maxage`` is for shared caches and does not count. ``Age`` is taken off:
    a shared cache may hand out an answer long past its time (``max-age=300`` with ``Age: 5231`` was seen), which is
    worth nothing as a promise and says nothing about when the document changed.

    Args:
        cache_control: The ``Cache-Control`` header; several are joined by commas.
        expires: The ``Expires`` header. One that cannot be read means "already stale", as the RFC has it.
        age: The ``Age`` header, in seconds.
        date: The ``Date`` header; ``Expires`` is measured by the server's own clock where it gives one.
        now: Aware time of the answer.

    Returns:
        From zero (ask again whenever you like) to ``LONGEST_WAIT``; None if the headers promise nothing.
    """
    directives = _directives(cache_control) if cache_control else {}
    if "no-store" in directives or "no-cache" in directives:
        return _ZERO
    lifetime = _number(directives.get("max-age"))
    if lifetime is None:
        if expires is None:
            return None
        end = _http_date(expires)
        if end is None:
            return _ZERO
        lifetime = end - (_http_date(date or "") or now)
    return _bounded(lifetime - (_number(age) or _ZERO))


def parse_links(values: Iterable[str], base: str) -> tuple[Link, ...]:
    """The targets of ``Link`` headers, made absolute against ``base``; what cannot be read is left out."""
    links = []
    for value in values:
        for target, parameters in _LINK.findall(value):
            rels = [
                quoted or bare for name, quoted, bare in _LINK_PARAMETER.findall(parameters) if name.lower() == "rel"
            ]
            url = _joined(base, target.strip())
            if rels and url:
                links.append(Link(url, tuple(rels[0].lower().split())))
    return tuple(links)


def linked(links: Iterable[Link], rel: str) -> str | None:
    """The first address with a relation such as ``hub`` or ``self``, or None."""
    return next((link.url for link in links if rel in link.rels), None)


def _directives(value: str) -> dict[str, str]:
    """The directives of ``Cache-Control``, the first of each name."""
    found: dict[str, str] = {}
    for name, quoted, bare in _DIRECTIVE.findall(value):
        found.setdefault(name.lower(), quoted or bare)
    return found


def _number(value: str | None) -> timedelta | None:
    text = (value or "").strip()
    return _seconds(text) if text.isascii() and text.isdigit() else None


def _seconds(digits: str) -> timedelta:
    """Bounded before it is converted: neither ``int`` nor ``timedelta`` takes a number of any length."""
    return LONGEST_WAIT if len(digits) > 9 else timedelta(seconds=int(digits))


def _bounded(span: timedelta) -> timedelta:
    return min(max(span, _ZERO), LONGEST_WAIT)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _joined(base: str, target: str) -> str | None:
    try:
        return urljoin(base, target)
    except ValueError:
        return None
