"""Digests read well, say the same as HTML and as text, and nothing that a feed holds gets out of its place."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.digests.content import (
    ChangedStory,
    Coverage,
    DigestContent,
    Link,
    Mention,
    PillarSection,
    Span,
    Story,
    TopicSection,
    Twin,
)
from monitor.digests.render import MAX_HTML_BYTES, render_digest
from monitor.digests.sample import sample_digest
from monitor.letters import Letter

SAMPLE = sample_digest(Language.EN)
URL = re.compile(r"https?://[^\s<>\"]+")
ALLOWED_TAGS = {"html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td"}
ALLOWED_TAGS |= {"h1", "h2", "h3", "h4", "p", "a", "strong", "span", "br"}


@cache
def rendered(language: Language) -> Letter:
    return render_digest(sample_digest(language))


def soup(letter: Letter) -> BeautifulSoup:
    return BeautifulSoup(letter.html, "lxml")


def links(letter: Letter) -> tuple[set[str], set[str]]:
    return {str(a["href"]) for a in soup(letter).find_all("a")}, set(URL.findall(letter.text))


@pytest.mark.parametrize("language", READER_LANGUAGES)
def test_html_and_text_hold_the_same_links(language: Language) -> None:
    in_html, in_text = links(rendered(language))
    assert in_html == in_text
    assert len(in_html) > 15


def test_everything_that_was_said_is_there() -> None:
    html, text = soup(rendered(Language.EN)).get_text(" ", strip=True), " ".join(rendered(Language.EN).text.split())
    story = SAMPLE.pillars[1].topics[0].stories[0]
    for said in (
        "15–22 Nov 2026",
        "20 new stories on your topics",
        story.headline,
        "National Defence · Canada · 21 November",
        "the largest step in NORAD modernization since",
        "Matched on “NORAD modernization”, “over-the-horizon radar” · relevance 94%",
        "found on 17 November",
        "in French",
        "Canada publishes its final methane rules for oil and gas",
        "Change of command at 22 Wing North Bay",
        "and 14 more",
        "Withdrawn on 18 November: Media advisory: ministers meet in Whitehorse (Global Affairs Canada)",
        "84 sources were checked.",
        "No news for 90 days: Five Eyes.",
        SAMPLE.sender.organisation,
        SAMPLE.sender.postal_address,
        SAMPLE.sender.contact,
        "Unsubscribe",
    ):
        assert said in html, said
        assert said in text, said


def test_terms_are_highlighted_in_their_sentence() -> None:
    marks = [mark.get_text() for mark in soup(rendered(Language.EN)).select("strong.mark")]
    assert marks[:3] == ["méthane", "NORAD modernization", "continental defence"]


def test_headings_make_an_outline() -> None:
    levels = [int(heading.name[1]) for heading in soup(rendered(Language.EN)).find_all(re.compile(r"h[1-6]"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("language", READER_LANGUAGES)
def test_each_text_says_its_language(language: Language) -> None:
    page = soup(rendered(language))
    assert page.html is not None
    assert page.html["lang"] == language
    told = {a.get_text(): a["lang"] for a in page.select("h4 a")}
    assert told["Le Canada publie sa réglementation définitive sur le méthane du pétrole et du gaz"] == "fr"
    assert told["Readout of the defence ministers’ call on continental defence"] == "en"
    assert told["México será sede de la Cumbre de Líderes de América del Norte en enero"] == "es"


def test_styles_are_in_the_tags_and_the_head_keeps_what_cannot_be() -> None:
    page = soup(rendered(Language.EN))
    styled = [tag for tag in page.find_all(class_=True) if not tag.get("style")]
    assert styled == []
    assert page.style is not None
    style = page.style.get_text()
    assert "prefers-color-scheme: dark" in style
    assert "max-width: 620px" in style
    assert len(style) < 8_000, "Gmail drops a style element beyond 8 kB"
    assert page.find("meta", {"name": "color-scheme", "content": "light dark"})


def test_tables_that_lay_out_are_not_read_out() -> None:
    assert all(table["role"] == "presentation" for table in soup(rendered(Language.EN)).find_all("table"))


def test_a_topic_is_rendered_once_for_all_who_share_it() -> None:
    from monitor.digests import render

    render._topic.cache_clear()
    for reader in range(50):
        render_digest(replace(SAMPLE, manage_url=f"https://monitor.example.org/m/{reader}"))
    assert render._topic.cache_info().misses == len(SAMPLE.topics)


def test_nothing_new_is_a_digest_too() -> None:
    letter = render_digest(replace(SAMPLE, pillars=(), changed=(), coverage=Coverage(checked=1)))
    assert letter.subject == "Nothing new – week to 22 November"
    assert "Nothing new on your topics" in letter.text
    assert "1 source was checked." in letter.html


# --- size ----------------------------------------------------------------------------------------------------

LONG = Story(
    headline="Une très longue manchette sur la sécurité continentale " * 200,
    url="https://example.org/" + "u" * 400,
    agency="Department of " + "Something " * 30,
    country="CA",
    source_language=Language.FR,
    first_seen_at=SAMPLE.window_start,
    sentence=(Span("word " * 30), Span("NORAD", highlighted=True), Span(" word" * 30)),
    terms=("NORAD modernization " * 10,) * 5,
    also_from=(Link("Agency " * 30, "https://example.org/" + "v" * 400),) * 8,
    twin=Twin(Language.EN, "A twin " * 100, "https://example.org/" + "w" * 400),
)


def copies(story: Story, number: int, topic: int) -> tuple[Story, ...]:
    return tuple(replace(story, url=f"{story.url}/{topic}/{i}") for i in range(number))


@pytest.mark.parametrize(("topics", "stories"), [(1, 500), (24, 1), (24, 30), (3, 40), (60, 100)])
def test_no_digest_is_cut_by_gmail(topics: int, stories: int) -> None:
    """Caps grow tighter until it fits; what was left out is counted."""
    sections = tuple(
        TopicSection(f"t{i}", f"Topic {i}", copies(LONG, stories, i), (Mention("M " * 200, "https://e.org", "A"),) * 9)
        for i in range(topics)
    )
    changed = (ChangedStory("C " * 200, "https://example.org/c", "Agency " * 30, SAMPLE.window_start),) * 40
    letter = render_digest(replace(SAMPLE, pillars=(PillarSection("Pillar", sections),), changed=changed))
    assert len(letter.html.encode()) < MAX_HTML_BYTES
    page = soup(letter)
    left_out = sum(
        int(number)
        for number in re.findall(r"and (\d+) more", " ".join(td.get_text() for td in page.select(".more-cell")))
    )
    assert len(page.select("h4.headline")) + left_out == topics * stories
    assert f"{topics * stories} new stor" in letter.text
    assert "Unsubscribe" in letter.html


def test_thirty_ordinary_stories_are_all_shown() -> None:
    story = SAMPLE.pillars[1].topics[0].stories[0]
    sections = tuple(TopicSection(f"t{i}", f"Topic {i}", copies(story, 5, i)) for i in range(6))
    letter = render_digest(replace(SAMPLE, pillars=(PillarSection("Pillar", sections),)))
    assert len(soup(letter).find_all("h4")) == 30
    assert len(letter.html.encode()) < 70_000


# --- hostile content -----------------------------------------------------------------------------------------

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7919*7919 }}{% for %}",
    "${7919*7919}",
    "<!--J0-->&lt;!--J1--&gt;",
    "</td></tr></table></body>",
    "\r\nBcc: victim@example.com",
    "\u202eevil\u2066",
    "\ud800",
    "\0",
    "é" * 500,
    "شكرا 🇨🇦",
]
nasty = st.sampled_from(ATTACKS) | st.text(max_size=60)
addresses = st.sampled_from(
    [
        "https://example.org/a?b=1&c='2'",
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        'https://example.org/"onclick="x',
        "https://example.org/\r\nx",
        "https://example.org/a b",
        "",
    ]
)
stories = st.builds(
    Story,
    headline=nasty,
    url=addresses,
    agency=nasty,
    country=st.sampled_from(["CA", "US", "INT", "EU", "??", "<b>"]),
    source_language=st.sampled_from([None, *Language]),
    first_seen_at=st.just(SAMPLE.window_start),
    published_at=st.none() | st.just(SAMPLE.window_start + timedelta(days=1)),
    sentence=st.lists(st.builds(Span, nasty, st.booleans()), max_size=4).map(tuple),
    terms=st.lists(nasty, max_size=4).map(tuple),
    score=st.floats(0, 1),
    also_from=st.lists(st.builds(Link, nasty, addresses), max_size=3).map(tuple),
    twin=st.none() | st.builds(Twin, st.sampled_from(READER_LANGUAGES), nasty, addresses),
)
sections = st.builds(
    TopicSection,
    id=st.just("t"),
    name=nasty,
    stories=st.lists(stories, max_size=4).map(tuple),
    passing=st.lists(st.builds(Mention, nasty, addresses, nasty), max_size=7).map(tuple),
    more=st.integers(0, 20),
)
digests = st.builds(
    replace,
    st.sampled_from([sample_digest(language) for language in READER_LANGUAGES]),
    pillars=st.lists(st.builds(PillarSection, nasty, st.lists(sections, max_size=3).map(tuple)), max_size=2).map(tuple),
    changed=st.lists(
        st.builds(ChangedStory, nasty, addresses, nasty, st.just(SAMPLE.window_end), st.booleans()), max_size=3
    ).map(tuple),
    coverage=st.builds(Coverage, st.integers(0, 200), st.lists(nasty, max_size=20).map(tuple)),
)


@given(digests)
@settings(max_examples=60)
def test_what_a_feed_holds_stays_text(content: DigestContent) -> None:
    letter = render_digest(content)
    page = soup(letter)
    assert {tag.name for tag in page.find_all()} <= ALLOWED_TAGS
    assert not [name for tag in page.find_all() for name in tag.attrs if name.startswith("on")]
    in_html, in_text = links(letter)
    assert all(not href or re.fullmatch(r"https?://[^\s<>\"]+", href) for href in in_html)
    assert in_html - {""} <= in_text
    assert len(letter.subject.splitlines()) <= 1
    for part in (letter.subject, letter.html, letter.text):
        part.encode()
        assert not re.search("[\x00-\x09\x0b-\x1f\u2028\u2029\u202a-\u202e\u2066-\u2069]", part)
        assert str(7919 * 7919) not in part, "a template in a title was carried out"


@pytest.mark.parametrize("language", READER_LANGUAGES)
def test_the_text_part_fits_a_terminal(language: Language) -> None:
    lines = rendered(language).text.split("\n")
    assert all(len(line) <= 78 or URL.search(line) for line in lines)
    assert all(line == line.rstrip() or line == "-- " for line in lines)
    assert "\n\n\n" not in rendered(language).text
