"""The feeds that a site has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.polling.discover import advertised_feeds, feed_candidates

URL = "https://site.example.gov/newsroom/"
PAGE = """<html><head>
<link rel="alternate" type="application/rss+xml" href="feed/">
<link rel="ALTERNATE nofollow" type="application/atom+xml; charset=utf-8" href="/all.atom">
<link rel="alternate" type="application/feed+json" href="https://feeds.example.org/x.json">
<link rel="alternate" type="application/rss+xml" href="feed/">
<link rel="alternate" type="application/json" href="/wp-json/">
<link rel="alternate" hreflang="fr" href="/fr/">
<link rel="stylesheet" type="text/css" href="/feed.css">
<link rel="alternate" type="application/rss+xml" href="data:x">
</head><body><a href="/rss/speeches.xml">Speeches</a> <a href="/feedback">Feedback</a>
<a href="/fr/nouvelles/fils-nouvelles.html">Fils</a></body></html>"""
ADVERTISED = (
    "https://site.example.gov/newsroom/feed/",
    "https://site.example.gov/all.atom",
    "https://feeds.example.org/x.json",
)


def test_a_page_names_its_feeds() -> None:
    assert advertised_feeds(PAGE, URL) == ADVERTISED


def test_candidates_go_from_the_likeliest_to_the_usual_places() -> None:
    found = feed_candidates(PAGE, URL)
    assert found[:3] == ADVERTISED
    assert found[3:5] == (
        "https://site.example.gov/rss/speeches.xml",
        "https://site.example.gov/fr/nouvelles/fils-nouvelles.html",
    )
    assert "https://site.example.gov/newsroom/rss.xml" in found
    assert "https://site.example.gov/feed.xml" in found
    assert not any("feedback" in address for address in found)
    assert len(found) == len(set(found)) <= 20


def test_a_base_element_moves_the_links_unless_it_runs_a_script() -> None:
    page = '<base href="{}"><link rel="alternate" type="text/xml" href="x.xml">'
    assert advertised_feeds(page.format("/else/"), URL) == ("https://site.example.gov/else/x.xml",)
    assert advertised_feeds(page.format("javascript:x"), URL) == ("https://site.example.gov/newsroom/x.xml",)


@pytest.mark.parametrize("html", ["", "no markup", "<!-- -->", "<link>", "<link rel=alternate>"])
def test_a_page_without_feeds_names_none_and_the_usual_places_remain(html: str) -> None:
    assert advertised_feeds(html, URL) == ()
    assert feed_candidates(html, "https://site.example.gov")[0] == "https://site.example.gov/feed/"


@given(st.text(max_size=100).map(lambda text: f'<link rel="alternate" type="text/xml" href="{text}">'))
@settings(max_examples=100)
def test_any_link_is_a_web_address_or_left_out(html: str) -> None:
    assert all(address.startswith(("http://", "https://")) for address in feed_candidates(html, URL))
