"""A feed's document in pieces, one for each entry: what was read before need not be read again.

Most of a feed is what it was at the last visit. A piece that is the same, character for character, in a document that
opens in the same way, says the same; so a parser is given the document without these. Only what can be cut with
certainty is cut: plain RSS and Atom, one entry after the other. Whoever parses the rest counts the entries that come
out of it, and reads the whole document where they are not as many as the pieces.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass

_NAMES = {"<rss": "item", "<feed": "entry"}
_OPENING = re.compile(r"<[^>]*>(?:\s*<channel[^>]*>)?")
"""What of the document bears on the meaning of each entry: namespaces, language and base of the elements around it."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A document, cut at the ends of its entries, and the fingerprint of each piece."""

    name: str
    before: str
    entries: tuple[str, ...]
    after: str
    fingerprints: tuple[str, ...]

    def without(self, known: Container[str]) -> str | None:
        """The document without the pieces of these fingerprints, or None where another piece may not be one entry.

        Known are the pieces that were entries in a document before, so that they need not be looked into.
        """
        rest = [piece for piece, own in zip(self.entries, self.fingerprints, strict=True) if own not in known]
        around = self.before + self.after
        whole = (
            _is_closed(around) and f"<{self.name}" not in around and all(_is_one(piece, self.name) for piece in rest)
        )
        return "".join((self.before, *rest, self.after)) if whole else None


def cut(text: str, url: str) -> Pieces | None:
    """Cut a document at the ends of its entries, or None where it is neither plain RSS nor plain Atom.

    Args:
        text: The document from its root element on.
        url: Where it came from: the same words lead elsewhere from another address.
    """
    name = next((name for root, name in _NAMES.items() if text.startswith(root)), "")
    *parts, after = text.split(f"</{name}>") if name else [text]
    start = re.search(f"<{name}[ >]", parts[0]) if parts else None
    if start is None:
        return None
    before, parts[0] = parts[0][: start.start()], parts[0][start.start() :]
    opening = _OPENING.match(before)
    entries = tuple(f"{part}</{name}>" for part in parts)
    return Pieces(name, before, entries, after, _fingerprints(f"{url}\x1f{opening and opening[0]}", entries))


def _is_one(piece: str, name: str) -> bool:
    return piece.lstrip().startswith((f"<{name}>", f"<{name} ")) and piece.count(f"<{name}") == 1 and _is_closed(piece)


def _is_closed(text: str) -> bool:
    """Whether nothing in it can reach beyond it: a comment, or a passage that is not markup."""
    return text.count("<!--") == text.count("-->") and text.count("<![CDATA[") == text.count("]]>")


def _fingerprints(context: str, entries: tuple[str, ...]) -> tuple[str, ...]:
    start = hashlib.blake2b(context.encode("utf-8", "replace"), digest_size=16)
    found = []
    for entry in entries:
        own = start.copy()
        own.update(entry.strip().encode("utf-8", "replace"))
        found.append(own.hexdigest())
    return tuple(found)
