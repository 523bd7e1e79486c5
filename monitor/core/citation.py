"""How an item is cited, in the formats that reference managers read (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from monitor.core.text import tidy

_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_ADDRESS = re.compile(r"[\s{}\\\x00-\x1f\x7f]")
_LANGUAGES = {"en": "english", "fr": "french", "es": "spanish"}


@dataclass(frozen=True, slots=True)
class Citation:
    """What a citation tells of an item.

    Attributes:
        item_id: The number of the item in this archive.
        agency: Who published it.
        title: Its title.
        url: Where it was published; empty where that is no web address.
        language: Its language, as a BCP 47 tag, or empty.
        published_at: When it was published, aware UTC, or None where the source does not tell.
        read_at: When it was read, aware UTC.
        archive_url: Its permanent page in this archive.
        content_hash: The SHA-256 of the text that was read.
    """

    item_id: int
    agency: str
    title: str
    url: str
    language: str
    published_at: datetime | None
    read_at: datetime
    archive_url: str
    content_hash: str

    @property
    def note(self) -> str:
        """Where and when the text was read, and how to tell that it is the same."""
        read = f"{self.read_at:%Y-%m-%d %H:%M} UTC"
        return f"Read by Roadmap Monitor on {read}: {self.archive_url} (SHA-256 {self.content_hash})"


def as_ris(citation: Citation) -> str:
    """The citation in the RIS format, which EndNote, Zotero and Mendeley read; lines end in CR LF."""
    return "".join(f"{tag}  - {tidy(text)}\r\n" for tag, text in _ris(citation) if text) + "ER  - \r\n"


def _ris(citation: Citation) -> Iterator[tuple[str, str]]:
    yield "TY", "GOVDOC"
    yield "ID", _key(citation)
    yield "AU", f"{citation.agency.replace(',', '')},"  # the comma says that this is no "Family, Given"
    yield "TI", citation.title
    if citation.published_at:
        yield "PY", f"{citation.published_at:%Y}"
        yield "DA", f"{citation.published_at:%Y/%m/%d}"
    yield "Y2", f"{citation.read_at:%Y/%m/%d}"
    yield "LA", citation.language
    yield "UR", citation.url
    yield "L2", citation.archive_url
    yield "N1", citation.note


def as_bibtex(citation: Citation) -> str:
    """The citation as an entry of BibLaTeX's type ``online``, which BibTeX's newer styles know too."""
    fields = ",\n".join(f"  {name} = {{{text}}}" for name, text in _bibtex(citation) if text)
    return f"@online{{{_key(citation)},\n{fields}\n}}\n"


def _bibtex(citation: Citation) -> Iterator[tuple[str, str]]:
    # Double braces: an agency is one name, and a title keeps its capitals.
    yield "author", f"{{{_tex(citation.agency)}}}"
    yield "title", f"{{{_tex(citation.title)}}}"
    if citation.published_at:
        yield "date", f"{citation.published_at:%Y-%m-%d}"
        yield "year", f"{citation.published_at:%Y}"
    yield "url", _ADDRESS.sub("", citation.url)
    yield "urldate", f"{citation.read_at:%Y-%m-%d}"
    yield "langid", _LANGUAGES.get(citation.language[:2].lower(), "")
    yield "note", _tex(citation.note)


def _key(citation: Citation) -> str:
    return f"roadmap-monitor-{citation.item_id}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in tidy(text))
