"""Lists of feeds as other programs exchange them: OPML 1.0 and 2.0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from lxml import etree

from monitor.core.languages import Language, primary_language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.core.text import tidy
from monitor.errors import Refused
from monitor.polling.charset import decode
from monitor.polling.document import NoFeed, prepare
from monitor.polling.keys import absolute_link, canonical_url
from monitor.texts import marked as _

MOST_OUTLINES = 5_000
"""More feeds than this are left out of an import."""

_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Outline:
    """One feed of a list. ``folder`` is the title of the outline around it, or empty; all text is plain."""

    url: str
    title: str
    folder: str = ""
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class FeedList:
    """The feeds of an OPML file, each address once, with what was left out in plain words."""

    outlines: tuple[Outline, ...]
    warnings: tuple[str, ...] = ()


def read_opml(body: bytes) -> FeedList:
    """The feeds that an OPML file lists.

    Addresses other than of the web are left out, and text is kept as text, so that a list cannot bring a script
    or a file of this machine with it.

    Raises:
        Refused: The file is no OPML, or defines entities or a document type.
    """
    document = prepare(decode(body), roots=("opml",))
    if isinstance(document, NoFeed):
        raise Refused(_("This file cannot be read as OPML: %(problem)s.", problem=document.detail))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, encoding="utf-8")
    try:
        root = etree.fromstring(document.text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise Refused(_("This file cannot be read as OPML: %(problem)s.", problem=error.msg)) from error
    return _listed(root.iter("{*}outline"))


def write_opml(sources: Iterable[SourceSpec], *, now: datetime) -> bytes:
    """An OPML 2.0 file of the feeds among ``sources``, in one folder for each agency.

    Args:
        sources: What to list; pages are left out, because no other program could read them.
        now: The time of writing, aware.
    """
    root = etree.Element("opml", version="2.0")
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = "Roadmap Monitor: sources"
    etree.SubElement(head, "dateCreated").text = format_datetime(now)
    folders: dict[str, etree._Element] = {}
    for source in sources:
        if source.kind is SourceKind.FEED:
            folder = folders.get(source.agency)
            if folder is None:
                folder = folders[source.agency] = etree.SubElement(body, "outline", text=source.agency)
            text = f"{source.agency} ({source.slug})"
            attributes = {"type": "rss", "text": text, "title": text, "xmlUrl": source.url}
            etree.SubElement(folder, "outline", attributes, language=str(source.language))
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True))


def _listed(elements: Iterable[etree._Element]) -> FeedList:
    kept: dict[str, Outline] = {}
    unusable = repeated = surplus = 0
    for element in elements:
        address = element.get("xmlUrl") or element.get("xmlurl")
        if address is None:
            continue
        if len(kept) >= MOST_OUTLINES:
            surplus += 1
        elif (outline := _outline(element, absolute_link(address, ""))) is None:
            unusable += 1
        elif kept.setdefault(canonical_url(outline.url), outline) is not outline:
            repeated += 1
    notes = {
        _("%(unusable)s addresses that are none of the web were left out", unusable=unusable): unusable,
        _("%(repeated)s feeds were listed again", repeated=repeated): repeated,
        _(
            "%(surplus)s feeds beyond the first %(most)s were left out",
            surplus=surplus,
            most=MOST_OUTLINES,
        ): surplus,
    }
    return FeedList(tuple(kept.values()), tuple(note for note, count in notes.items() if count))


def _outline(element: etree._Element, url: str) -> Outline | None:
    if not url:
        return None
    return Outline(
        url=url,
        title=_title(element) or url,
        folder=_title(element.getparent()) if element.getparent() is not None else "",
        language=primary_language(element.get("language")),
    )


def _title(element: etree._Element) -> str:
    return tidy(element.get("title") or element.get("text") or "")[:_LONGEST_TITLE].rstrip()
