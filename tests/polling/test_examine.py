"""What an address offers: a feed, the feeds of its site, a page read by selectors, or a plain reason why not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from monitor import event_loop
from monitor.core.languages import Language
from monitor.core.nouns import SourceKind
from monitor.polling.examine import Examination, examine, spec_of
from monitor.polling.paging import Paging

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Ministry news</title><language>fr</language>
<item><guid>1</guid><title>Une annonce</title><link>https://ministry.example/1</link></item></channel></rss>"""
NAMING = b"""<html lang="en"><head><link rel="alternate" type="application/rss+xml" href="/news.rss"></head>
<body><p>Welcome</p></body></html>"""
ROWS = "".join(
    f'<li class="news"><a href="/r/{n}">The minister takes measure number {n} today</a><time>2026-11-{n:02}</time></li>'
    for n in range(1, 13)
)
LISTING = f'<html lang="en"><body><main><ul>{ROWS}</ul></main></body></html>'.encode()


@pytest.fixture
def look(faults: Any, new_fetcher: Any, now: datetime) -> Any:
    """Examines a path of a site that is given as a table of paths and bodies."""

    def look_(path: str, site: dict[str, Any]) -> Examination:
        for place in ("/robots.txt", "/news.rss", "/feed", *site):
            faults.play(place, [site.get(place, {"status": 404})])

        async def once() -> Examination:
            async with new_fetcher() as fetcher:
                return await examine(fetcher, faults.url(path), now)

        return event_loop.run(once())

    return look_


def test_a_feed_is_offered_as_it_is(look: Any) -> None:
    (offer,) = look("/rss", {"/rss": {"body": FEED}}).offers
    assert (offer.kind, offer.title, offer.language) == (SourceKind.FEED, "Ministry news", Language.FR)
    assert [entry.title for entry in offer.entries] == ["Une annonce"]


def test_the_feed_that_a_page_names_is_offered(look: Any) -> None:
    (offer,) = look("/", {"/": {"body": NAMING, "Content-Type": "text/html"}, "/news.rss": {"body": FEED}}).offers
    assert offer.url.endswith("/news.rss")


def test_a_page_without_a_feed_is_offered_with_selectors(look: Any) -> None:
    (offer,) = look("/", {"/": {"body": LISTING, "Content-Type": "text/html"}}).offers
    assert offer.kind is SourceKind.PAGE
    assert offer.selectors["item"]
    assert len(offer.entries) == 12


@pytest.mark.parametrize(
    ("site", "says"),
    [
        ({"/": {"status": 404}}, "404"),
        ({"/": {"status": 403}}, "403"),
        ({"/": {"body": b"<html><body><p>Technical Difficulties</p></body></html>"}}, "no feed was found"),
    ],
)
def test_why_there_is_no_offer_is_said(look: Any, site: dict[str, Any], says: str) -> None:
    found = look("/", site)
    assert found.offers == ()
    assert says in found.problem


def test_robots_are_kept_for_what_was_not_asked_for(look: Any, faults: Any) -> None:
    closed = {"body": b"User-agent: *\nDisallow: /news"}
    look("/", {"/robots.txt": closed, "/": {"body": NAMING, "Content-Type": "text/html"}, "/news.rss": {"body": FEED}})
    assert "/news.rss" not in [request.target for request in faults.requests]


def test_this_machine_is_refused_unless_a_setting_allows_it(new_fetcher: Any, now: datetime) -> None:
    async def once() -> Examination:
        async with new_fetcher(allow_loopback=False) as fetcher:
            return await examine(fetcher, "http://127.0.0.1:1/feed", now)

    found = event_loop.run(once())
    assert found.offers == ()
    assert found.problem


def test_a_source_gets_a_slug_of_its_own_and_needs_a_language(look: Any) -> None:
    (offer,) = look("/rss", {"/rss": {"body": FEED}}).offers
    first = spec_of(offer, agency="Ministry", country="CA", language=None, taken=[])
    assert first is not None
    assert first.language is Language.FR
    second = spec_of(offer, agency="Ministry", country="CA", language=None, taken=[first.slug])
    assert second is not None
    assert second.slug == f"{first.slug}-2"
    (silent,) = look("/rss2", {"/rss2": {"body": FEED.replace(b"<language>fr</language>", b"")}}).offers
    assert spec_of(silent, agency="", country="CA", language=None, taken=[]) is None


@pytest.mark.parametrize(
    ("second", "paging"),
    [
        (LISTING.replace(b"/r/", b"/older/"), Paging.GOES_ON),
        (LISTING, Paging.REPEATS),
        (b"<html><body><p>Technical Difficulties</p></body></html>", Paging.UNREAD),
    ],
)
def test_the_preview_turns_a_page(look: Any, second: bytes, paging: Paging) -> None:
    """FAULTS 31."""
    first = LISTING.replace(b"</ul>", b'</ul><a rel="next" href="/?page=2">Older</a>')
    (offer,) = look("/", {"/": {"body": first}, "/?page=2": {"body": second}}).offers
    assert offer.paging is paging


def test_a_list_of_one_page_ends(look: Any) -> None:
    (offer,) = look("/", {"/": {"body": LISTING}}).offers
    assert offer.paging is Paging.ENDS
