"""Paths of our own pages, as far as they come from a visitor."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_LONGEST = 2_000
# A browser reads "//host", "/\host" and, after dropping tabs and line breaks, "/<tab>/host" as another site.
_OWN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_DECODED = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")


def own_path(text: str | None, default: str = "/") -> str:
    """The path and query if they can only lead to a page of ours, however they are decoded; else the default."""
    path = text or ""
    if len(path) > _LONGEST or not path.isascii():
        return default
    once = unquote(path.partition("?")[0])
    is_own = _OWN.fullmatch(path) and all(map(_DECODED.fullmatch, (once, unquote(once))))
    return path if is_own else default


def path_of(address: str | None, host: str) -> str:
    """The path and query of a page of ours by its whole address, such as a Referer; empty for anybody else's."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return ""
    if parts.netloc != host:
        return ""
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""), "")
