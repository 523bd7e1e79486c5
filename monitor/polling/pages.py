"""HTML pages that list publications, for agencies without a feed: read by CSS selectors, proposed by a detector."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bs4 import BeautifulSoup, Tag
from lxml import etree
from lxml import html as lxml_html

from monitor.core.languages import Language, primary_language
from monitor.core.nouns import Entry
from monitor.core.text import tidy
from monitor.polling.charset import decode
from monitor.polling.dates import read_date
from monitor.polling.document import MOST_ENTRIES
from monitor.polling.keys import absolute_link
from monitor.polling.markup import html_tree
from monitor.polling.parse import Draft, draft
from monitor.polling.raw import RawEntry, RawText
from monitor.texts import marked as _

_NO_TEXT = ("script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_DATE_PATTERN = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"|\b\d{1,2}(?:er)?(?: de)? [^\W\d]{3,10}\.?,?(?: del?)? \d{4}\b"
    r"|\b[^\W\d]{3,10}\.? \d{1,2}, \d{4}\b"
    r"|\b\d{1,2}[/.]\d{1,2}[/.]\d{4}\b"
)


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """What a page listed at one visit; ``next_url`` is the page that it names as the next, or empty."""

    drafts: tuple[Draft, ...]
    title: str = ""
    next_url: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, their text read anew at each asking."""
        return tuple(draft.entry() for draft in self.drafts)


@dataclass(frozen=True, slots=True)
class StructureChanged:
    """The selectors no longer find publications: ``detail`` says which of them, for the editor."""

    detail: str


def parse_page(
    body: bytes,
    *,
    url: str,
    selectors: Mapping[str, str],
    content_type: str = "",
    language: Language | None = None,
    now: datetime,
) -> ParsedPage | StructureChanged:
    """Read the publications that an HTML page lists.

    Only the text, address and date of what the selectors find count, so that tokens, scripts and banners
    elsewhere on the page make no entry look changed.

    Args:
        body: The page.
        url: Where it came from, the base of its links.
        selectors: ``item`` finds each publication; within it, ``title``, ``link``, ``date`` and ``summary`` find
            its parts. Without ``title`` its heading or its link counts, without ``link`` the first link in the
            title or else in the item, without ``date`` its ``time`` element. ``next`` finds the link to the next
            page of the list; without it, the one that is marked as such (``rel="next"``) counts.
        content_type: The ``Content-Type`` header, for its charset.
        language: The language of the source where it is known, else that of the page counts.
        now: The time of the visit, aware.
    """
    page = soup(decode(body, content_type))
    if page is None:
        return StructureChanged(_("the page holds no HTML that can be read"))
    items = page.select(selectors["item"], limit=MOST_ENTRIES)
    if not items:
        return StructureChanged(_("the selector item = %(selector)s finds nothing", selector=repr(selectors["item"])))
    base = _base(page, url)
    language = language or primary_language(str(page.html.get("lang", "")) if page.html else "")
    raw = [entry for entry in (_raw(item, selectors) for item in items) if entry.title.value.strip()]
    linked: dict[str, Draft] = {}
    for entry in raw:
        if absolute_link(entry.link, base):
            made = draft(entry, url=base, language=language, now=now)
            linked.setdefault(made.key, made)
    if not linked:
        return StructureChanged(_("of %(count)s items none has both a title and a link", count=len(items)))
    return ParsedPage(
        drafts=tuple(linked.values()),
        title=tidy(page.title.get_text()) if page.title else "",
        next_url=_next(page, selectors, url, base),
        warnings=_lost(items, linked.values(), selectors),
    )


def repeats(page: ParsedPage, earlier: ParsedPage) -> bool:
    """Whether ``page`` lists nothing that ``earlier`` does not: sites answer ``?page=2`` with page 1."""
    return {shown.key for shown in page.drafts} <= {shown.key for shown in earlier.drafts}


def soup(html: str) -> BeautifulSoup | None:
    """The page as a tree without scripts and comments, or None where it holds no element (see ``markup``)."""
    tree = html_tree(html)
    if tree is None:
        return None
    etree.strip_elements(tree, *_NO_TEXT, with_tail=False)
    return BeautifulSoup(lxml_html.tostring(tree, encoding="unicode"), "lxml")


def _raw(item: Tag, selectors: Mapping[str, str]) -> RawEntry:
    title = _first(item, selectors.get("title"), *_HEADINGS, "a[href]") or (item if item.name == "a" else None)
    link = _first(item, selectors.get("link")) if "link" in selectors else _link_of(item, title)
    date = _first(item, selectors.get("date"), "time[datetime]", "time")
    return RawEntry(
        link=str(link.get("href") or "") if link else "",
        title=RawText(_text(title)),
        summary=RawText(_text(_first(item, selectors.get("summary")))),
        published=_date(date),
    )


def _first(item: Tag, *selectors: str | None) -> Tag | None:
    """What the first of the selectors finds; a given one that finds nothing is not replaced by a guess."""
    if selectors[0]:
        return item.select_one(selectors[0])
    return next((found for found in (item.select_one(guess) for guess in selectors[1:] if guess) if found), None)


def _link_of(item: Tag, title: Tag | None) -> Tag | None:
    around = [title, item, *(title.parents if title else ())]
    own = next((tag for tag in around if tag and tag.name == "a" and tag.has_attr("href")), None)
    return own or (title and title.select_one("a[href]")) or item.select_one("a[href]")


def _text(tag: Tag | None) -> str:
    return tag.get_text(" ") if tag else ""


def _date(tag: Tag | None) -> str:
    """A machine's date where there is one, else the text, or what in it looks like a date."""
    if tag is None:
        return ""
    written = str(tag.get("datetime") or tag.get("content") or "") or tidy(tag.get_text(" "))
    found = _DATE_PATTERN.search(written)
    return found[0] if found and read_date(written, language=None) is None else written


def _lost(items: Sequence[Tag], kept: Collection[Draft], selectors: Mapping[str, str]) -> tuple[str, ...]:
    notes = []
    if lost := len(items) - len(kept):
        notes.append(
            _(
                "%(lost)s of %(count)s items have no title, no link of their own, or repeat another",
                lost=lost,
                count=len(items),
            )
        )
    if "date" in selectors and not any(read_date(shown.raw.published, language=shown.language) for shown in kept):
        notes.append(_("the selector date finds no date that can be read"))
    return tuple(notes)


def _next(page: BeautifulSoup, selectors: Mapping[str, str], url: str, base: str) -> str:
    named = page.select_one(selectors.get("next", 'link[rel~="next"][href], a[rel~="next"][href]'))
    following = absolute_link(str(named.get("href") or ""), base) if named else ""
    return "" if following == absolute_link(url, url) else following


def _base(page: BeautifulSoup, url: str) -> str:
    element = page.select_one("base[href]")
    return absolute_link(str(element["href"]), url) or url if element else url
