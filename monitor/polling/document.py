"""An XML feed made fit for a parser: no DTD, no characters that XML forbids, whole entries only, not too many."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.texts import marked as _

MOST_ENTRIES = 5_000
"""More than this many entries of one document are left out; the largest real feed known holds 630."""

FEED_ROOTS = ("rss", "feed", "rdf")
"""The root elements of feeds, with or without a prefix."""

_START = re.compile(r"<\?xml\b|<!|<(?:[\w.-]+:)?(?:rss|feed|rdf|opml|html)\b", re.IGNORECASE)
_PROLOG = re.compile(r"(?:[^<]++|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:\s[^<>\[]*)?>)*+", re.IGNORECASE | re.DOTALL)
_ROOT = re.compile(r"<((?:[\w.-]+:)?([\w.-]+))(?=[\s/>])")
_ENTRY_START = re.compile(r"<(?:[\w.-]+:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that no XML document may hold."""

_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_FORBIDDEN_REFERENCE = re.compile(r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[\da-f]));", re.IGNORECASE)
_TAIL = 4_000  # characters at the end in which the closing tag of the root is looked for


@dataclass(frozen=True, slots=True)
class Feed:
    """The text of a feed from its root element on, and what had to be done to it, in plain words."""

    text: str
    warnings: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """All that stands before the first entry."""
        first = _ENTRY_START.search(self.text)
        return self.text[: first.start()] if first else self.text


@dataclass(frozen=True, slots=True)
class NoFeed:
    """Why a text is no feed that can be read."""

    detail: str


def prepare(text: str, roots: tuple[str, ...] = FEED_ROOTS) -> Feed | NoFeed:
    """The feed in ``text``, fit for a parser.

    The prolog goes, and with it the declaration of a charset that no longer applies. A document type with an
    internal subset is refused, before any parser sees it: that is where entities are defined that expand to
    gigabytes or to the files of the machine (CVE-2012-2921).
    """
    start = _START.search(text)
    if start is None:
        return NoFeed(_("the document is neither XML nor JSON"))
    warnings = [_("text before the feed was skipped")] if text[: start.start()].strip("\ufeff \t\r\n") else []
    body_start = _PROLOG.match(text, start.start())
    at = body_start.end() if body_start else start.start()
    root = _ROOT.match(text, at)
    if root is None or root[2].lower() not in roots:
        return NoFeed(_what_else(text[at : at + 80]))
    cleaned = _allowed(text[at:])
    if len(cleaned) != len(text) - at:
        warnings.append(_("characters that XML forbids were removed"))
    whole, cuts = _whole_entries(cleaned, root[1])
    return Feed(whole, (*warnings, *cuts))


def _allowed(text: str) -> str:
    """The text without what XML forbids; a look at its bytes is ten times as fast as the pattern, and mostly enough."""
    if _may_hold_forbidden(text):
        text = FORBIDDEN.sub("", text)
    return _FORBIDDEN_REFERENCE.sub("", text) if "&#" in text else text


def _may_hold_forbidden(text: str) -> bool:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # a surrogate
        return True
    return len(encoded.translate(None, _CONTROLS)) != len(encoded) or "\ufffe" in text or "\uffff" in text


def _what_else(opening: str) -> str:
    if opening.startswith("<!"):
        return _("the document defines entities or a document type of its own, which is refused")
    name = re.match(r"<([\w:.-]+)", opening)
    if name and name[1].lower() == "html":
        return _("the document is an HTML page")
    return (
        _("the document is no feed: it begins with <%(name)s>", name=name[1]) if name else _("the document is no feed")
    )


def _whole_entries(text: str, root: str) -> tuple[str, list[str]]:
    many = text.count("<") > MOST_ENTRIES  # counting is much faster than finding the entries
    starts = _ENTRY_START.finditer(text) if many else ()
    surplus = next((start for number, start in enumerate(starts) if number == MOST_ENTRIES), None)
    if surplus:
        cut = surplus.start()
        warning = _("there are more than %(most)s entries; the rest was left out", most=MOST_ENTRIES)
    elif _closes(text, root):
        return text, []
    else:
        first = _ENTRY_START.search(text)
        ends = [end.end() for end in _ENTRY_END.finditer(text)]
        cut = ends[-1] if ends else first.start() if first else len(text)
        warning = _("the document breaks off; its whole entries were kept")
    channel = "" if root.lower() != "rss" or "</channel" in text[:cut] else "</channel>"
    return f"{text[:cut]}{channel}</{root}>", [warning]


def _closes(text: str, root: str) -> bool:
    return f"</{root}" in text[-_TAIL:] or re.fullmatch(r"<[^<>]*/>\s*", text[:_TAIL]) is not None
