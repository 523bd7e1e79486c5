"""What a feed says, before any of it is read as text, date or link; every format's reader answers with these."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_MARKUP = re.compile(
    r"&(?:#\d+|#x[\da-f]+|[a-z]\w+);"
    r"|</?(?:a|abbr|b|br|cite|code|div|em|font|h[1-6]|i|img|li|ol|p|script|small|span|strong|style|su[bp]|table|td|tr"
    r"|tt|u|ul|wbr)\b[^<>]*>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RawText:
    """A text as written; ``html`` says whether it is to be read as HTML."""

    value: str = ""
    html: bool = False


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry as written. ``link`` may be relative to ``base``, which may itself be empty."""

    guid: str = ""
    link: str = ""
    base: str = ""
    title: RawText = RawText()
    summary: RawText = RawText()
    body: RawText = RawText()
    published: str = ""
    updated: str = ""
    language: str = ""
    categories: tuple[str, ...] = ()

    @property
    def tells_something(self) -> bool:
        """Whether there is anything that a reader could read or follow."""
        return any(text.value.strip() for text in (self.title, self.summary, self.body)) or bool(self.link.strip())

    def fingerprint(self, url: str) -> str:
        """A hash of all that is written here and of the address that its links build on, in 32 hex digits."""
        texts = (text for part in (self.title, self.summary, self.body) for text in (part.value, str(part.html)))
        rest = (self.guid, self.link, self.base, self.published, self.updated, self.language, *self.categories)
        written = "\x1f".join((url, *texts, *rest))  # a control character that XML forbids
        return hashlib.blake2b(written.encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class RawFeed:
    """A feed as written; ``hub`` and ``self_url`` are those of WebSub, or empty.

    ``pieces`` are the fingerprints of the pieces of the document that its entries are; none where it was not cut.
    """

    entries: tuple[RawEntry, ...] = ()
    pieces: tuple[str, ...] = ()
    title: RawText = RawText()
    language: str = ""
    hub: str = ""
    self_url: str = ""


def guessed(value: str) -> RawText:
    """A text of a format that does not say whether it is HTML: it is, when a tag or an entity is seen in it.

    ``AT&T``, ``5 < 6`` and ``List<Item>`` are none, so that nothing of a plain title is lost.
    """
    return RawText(value, html=bool(_MARKUP.search(value)))
