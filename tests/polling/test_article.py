"""The page of one publication."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.polling.article import Article, read_article

URL = "https://www.example.ca/en/department/news/2026/11/arctic.html?utm_source=mail"
PARAGRAPHS = [
    "Ottawa, Ontario. The ministers of both countries met today and agreed on a plan for the Arctic and the North.",
    "The plan sets out how the two governments will work together on search and rescue & on the surveying of the sea.",
    "A working group will report to the ministers before the summer, and every six months after that.",
]
PAGE = """<!DOCTYPE html>
<html lang="en-CA"><head><title>Arctic plan - Example.ca</title>
<link rel="canonical" href="/en/department/news/2026/11/arctic.html">
<link rel="alternate" hreflang="en" href="https://www.example.ca/en/department/news/2026/11/arctic.html">
<link rel="alternate" hreflang="fr-CA" href="https://www.example.ca/fr/ministere/nouvelles/2026/11/arctique.html">
<link rel="alternate" hreflang="de" href="https://www.example.ca/de/">
<link rel="alternate" hreflang="es" href="javascript:alert(1)">
</head><body>
<header><nav><a href="/">Home</a> <a href="/jobs">Jobs</a></nav>
<section id="wb-lng"><a lang="fr" href="/fr/autre.html">Français</a></section></header>
<main><h1>Ministers agree on an Arctic\u2060 plan</h1>
<div class="text">%s<script>track()</script></div>
<aside><p>Subscribe to our newsletter and follow us everywhere.</p></aside></main>
<footer><p>Terms and conditions. Privacy. Date modified: 2026-11-23</p></footer></body></html>"""
TEXT = "".join(f"<p>{paragraph.replace('&', '&amp;')}</p>" for paragraph in PARAGRAPHS)


def article(html: str, selector: str = "", language: Language | None = None) -> Article:
    found = read_article(html.encode(), url=URL, selector=selector, language=language)
    assert found is not None
    return found


def test_the_main_text_is_told_from_the_page_around_it() -> None:
    found = article(PAGE % TEXT)
    assert found.text == "\n\n".join(PARAGRAPHS)
    assert found.title == "Ministers agree on an Arctic plan"


def test_a_selector_of_the_source_wins_and_one_that_finds_nothing_does_not_matter() -> None:
    assert article(PAGE % TEXT, "div.text p").text == PARAGRAPHS[0]
    assert article(PAGE % TEXT, "div.text").text == "\n\n".join(PARAGRAPHS)
    assert article(PAGE % TEXT, "div.gone").text == "\n\n".join(PARAGRAPHS)


def test_the_page_says_what_it_is() -> None:
    found = article(PAGE % TEXT)
    assert found.language is Language.EN
    assert found.canonical_url == "https://www.example.ca/en/department/news/2026/11/arctic.html"
    assert dict(found.twins) == {Language.FR: "https://www.example.ca/fr/ministere/nouvelles/2026/11/arctique.html"}


def test_without_hreflang_the_language_switch_names_the_twin() -> None:
    found = article((PAGE % TEXT).replace("hreflang", "data-lang"))
    assert dict(found.twins) == {Language.FR: "https://www.example.ca/fr/autre.html"}


def test_a_bare_page_keeps_what_is_known_of_its_source() -> None:
    found = article("<p>Hello</p>", language=Language.ES)
    assert found.language is Language.ES
    assert found.canonical_url == "https://www.example.ca/en/department/news/2026/11/arctic.html"
    assert found.twins == {}


def test_the_hash_is_of_the_text_and_not_of_the_page() -> None:
    """FAULTS 32."""
    before, after = PAGE % TEXT, (PAGE % TEXT).replace("track()", "track(7)").replace("Date modified: 2026-11-23", "x")
    assert article(before).content_hash == article(after).content_hash
    assert article(before).content_hash != article(before.replace("six months", "ten months")).content_hash


@pytest.mark.parametrize("body", [b"", b" ", b"<!-- nothing -->"])
def test_no_html_is_no_article(body: bytes) -> None:
    assert read_article(body, url=URL) is None


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x",
        "<b>x" * 100_000,
        "<p>word word word</p>" * 5_000,
        "<p>" + "word " * 100_000,
        "<table>" * 50_000,
        "<a href=x>link</a> " * 5_000,
    ],
    ids=lambda html: html[:14],
)
def test_a_heap_of_markup_takes_bounded_time(html: str) -> None:
    started = time.thread_time()
    read_article(html.encode(), url=URL)
    assert time.thread_time() - started < 8


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["<p>", "<div>", "</div>", "text ", "<link ", "href=/x "])).map("".join)
)
@settings(max_examples=60)
def test_any_page_has_an_outcome(html: str) -> None:
    found = read_article(html.encode("utf-8", "replace"), url=URL)
    assert found is None or "\x00" not in found.text
