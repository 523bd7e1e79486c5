"""The main text of one publication's page, with what the page says of itself: language, twins, own address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import trafilatura
from bs4 import BeautifulSoup
from lxml import html as lxml_html

from monitor.core.languages import Language, primary_language
from monitor.core.text import content_hash, tidy
from monitor.polling.charset import decode
from monitor.polling.keys import absolute_link
from monitor.polling.pages import soup
from monitor.polling.plaintext import plain_text, tidy_paragraphs

_LANGUAGE_SWITCH = "#wb-lng a[lang][href], .language-switcher a[lang][href], a[hreflang][href]"
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Article:
    """A publication's page. ``text`` is plain, with a blank line between paragraphs, and may be empty.

    ``canonical_url`` is the address that the page gives as its own, or the one it came from; ``twins`` maps the
    other languages of ours to the addresses of the same publication in them.
    """

    title: str
    text: str
    canonical_url: str
    language: Language | None
    twins: Mapping[Language, str] = field(default_factory=lambda: MappingProxyType({}))
    content_hash: str = ""


def read_article(
    body: bytes, *, url: str, content_type: str = "", selector: str = "", language: Language | None = None
) -> Article | None:
    """Read the page of a publication, or None where it holds no HTML.

    Args:
        body: The page.
        url: Where it came from.
        content_type: The ``Content-Type`` header, for its charset.
        selector: The source's CSS selector of the main text; without one, or where it finds nothing, trafilatura
            tells the text from the page around it.
        language: What to answer where the page does not declare its language.
    """
    page = soup(decode(body, content_type))
    if page is None:
        return None
    own = primary_language(str(page.html.get("lang", "")) if page.html else "") or language
    text = (_selected(page, selector) or _main_text(page))[:_LONGEST].rstrip()
    title = _title(page)
    return Article(
        title=title,
        text=text,
        canonical_url=_canonical(page, url),
        language=own,
        twins=MappingProxyType({tongue: link for tongue, link in _twins(page, url) if tongue != own}),
        content_hash=content_hash(title, text),
    )


def _selected(page: BeautifulSoup, selector: str) -> str:
    found = page.select_one(selector) if selector else None
    return plain_text(str(found)) if found else ""


def _main_text(page: BeautifulSoup) -> str:
    """What trafilatura finds, one line for each paragraph; it alters the tree that it reads, so it gets its own."""
    extracted = trafilatura.extract(
        lxml_html.document_fromstring(str(page)), include_comments=False, include_tables=True, favor_recall=True
    )
    return tidy_paragraphs((extracted or "").replace("\n", "\n\n"))


def _title(page: BeautifulSoup) -> str:
    named = page.select_one('meta[property="og:title"][content]')
    heading = page.select_one("main h1, h1")
    shown = heading.get_text(" ") if heading else str(named["content"]) if named else ""
    return tidy(shown or (page.title.get_text() if page.title else ""))


def _canonical(page: BeautifulSoup, url: str) -> str:
    named = page.select_one('link[rel~="canonical"][href]')
    return (absolute_link(str(named["href"]), url) if named else "") or absolute_link(url, url)


def _twins(page: BeautifulSoup, url: str) -> Iterator[tuple[Language, str]]:
    """By the page's language switch, and over it by ``<link rel="alternate" hreflang>``, which is meant for this."""
    for tag in [*page.select(_LANGUAGE_SWITCH), *page.select('link[rel~="alternate"][hreflang][href]')]:
        language = primary_language(str(tag.get("hreflang") or tag.get("lang")))
        link = absolute_link(str(tag["href"]), url)
        if language and link:
            yield language, link
