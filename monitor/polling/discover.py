"""The feeds that a site has: those that a page of it names, and the places where feeds usually lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html

from monitor.polling.keys import absolute_link
from monitor.polling.markup import html_tree

_FEED_TYPES = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "text/xml")
)
_FEED_LIKE = re.compile(r"(?:\b|_)(?:rss|atom|feeds?|rdf|syndication|fils?-(?:de-)?nouvelles)(?:\b|_)", re.IGNORECASE)
_USUAL_PLACES = ("/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json")
_MOST = 20


def advertised_feeds(html: str, url: str) -> tuple[str, ...]:
    """The feeds that a page names in ``<link rel="alternate">``, in its order, as absolute addresses.

    Args:
        html: The page.
        url: Where it came from.
    """
    page = html_tree(html)
    return () if page is None else _unique(_linked(page, _base(page, url)))


def feed_candidates(html: str, url: str) -> tuple[str, ...]:
    """Addresses worth trying for the feeds of the site of a page, the likeliest first, 20 at most.

    First what the page advertises, then its links that speak of feeds, then the usual places: below the page
    itself and at the root of its site. Whoever tries them parses what comes: only that tells a feed.
    """
    page = html_tree(html)
    found = [] if page is None else [*_linked(page, _base(page, url)), *_spoken_of(page, _base(page, url))]
    folder = urlsplit(url).path.rstrip("/")
    usual = [urljoin(url, start + place) for start in dict.fromkeys((folder, "")) for place in _USUAL_PLACES]
    return _unique(iter([*found, *usual]))[:_MOST]


def _base(page: lxml_html.HtmlElement, url: str) -> str:
    element = page.find(".//base[@href]")
    return url if element is None else absolute_link(element.get("href", ""), url) or url


def _linked(page: lxml_html.HtmlElement, base: str) -> Iterator[str]:
    for link in page.iter("link"):
        relations, kind = link.get("rel", "").lower().split(), link.get("type", "").lower().split(";")[0].strip()
        if "alternate" in relations and kind in _FEED_TYPES:
            yield absolute_link(link.get("href", ""), base)


def _spoken_of(page: lxml_html.HtmlElement, base: str) -> Iterator[str]:
    for anchor in page.iter("a"):
        if _FEED_LIKE.search(anchor.get("href", "")):
            yield absolute_link(anchor.get("href", ""), base)


def _unique(addresses: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, addresses)))
