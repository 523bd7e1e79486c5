"""Lists of feeds from and for other programs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.errors import Refused
from monitor.polling.opml import MOST_OUTLINES, Outline, read_opml, write_opml

VISITED = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def source(slug: str, agency: str = "Agency", **other: object) -> SourceSpec:
    kind = SourceKind.PAGE if other.get("page") else SourceKind.FEED
    return SourceSpec(slug, f"https://x.example.org/{slug}", agency, "CA", Language.FR, kind)


def opml(body: str) -> bytes:
    return f'<?xml version="1.0"?><opml version="2.0"><body>{body}</body></opml>'.encode()


def test_what_is_written_is_read_again() -> None:
    sources = [source("a"), source("b", 'R&D <b>"Agency"</b>'), source("c"), source("p", page=True)]
    listed = read_opml(write_opml(sources, now=VISITED))
    assert listed.warnings == ()
    assert [(outline.url, outline.folder, outline.language) for outline in listed.outlines] == [
        ("https://x.example.org/a", "Agency", Language.FR),
        ("https://x.example.org/c", "Agency", Language.FR),
        ("https://x.example.org/b", 'R&D <b>"Agency"</b>', Language.FR),
    ]


def test_an_export_names_its_title_and_time() -> None:
    written = write_opml([source("a")], now=VISITED).decode()
    assert "<title>Roadmap Monitor: sources</title>" in written
    assert "<dateCreated>Mon, 23 Nov 2026 17:00:00 +0000</dateCreated>" in written


def test_folders_titles_and_repeated_feeds() -> None:
    listed = read_opml(
        opml(
            '<outline text="News"><outline type="rss" text="T&#x2060;wo" title="One" xmlUrl="https://x.example.org/f?b=1&amp;a=2"'
            ' htmlUrl="https://x.example.org/"/></outline><outline xmlurl="https://x.example.org/f?a=2&amp;b=1"/>'
            '<outline xmlUrl="https://x.example.org/untitled"/><outline text="A folder"/>'
        )
    )
    assert listed.outlines == (
        Outline("https://x.example.org/f?b=1&a=2", "One", "News"),
        Outline("https://x.example.org/untitled", "https://x.example.org/untitled"),
    )
    assert listed.warnings == ("1 feeds were listed again",)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "data:,x", "feed", "https://u:p@x.example.org/"]
)
def test_an_address_that_is_none_of_the_web_is_left_out(address: str) -> None:
    listed = read_opml(opml(f'<outline xmlUrl="{address}" htmlUrl="{address}" text="x"/>'))
    assert listed.outlines == ()
    assert listed.warnings == ("1 addresses that are none of the web were left out",)


def test_a_script_in_a_title_stays_text() -> None:
    """FAULTS 66; whoever shows it escapes it."""
    listed = read_opml(opml('<outline xmlUrl="https://x.example.org/" text="&lt;script&gt;alert(1)&lt;/script&gt;"/>'))
    assert listed.outlines[0].title == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html></html>",
        b"<rss/>",
        b"<opml><body>",
        b'<!DOCTYPE opml [<!ENTITY x "y">]><opml/>',
        b'<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body><outline text="&x;"/></body></opml>',
        '<!DOCTYPE opml [<!ENTITY x "y">]><opml/>'.encode("utf-16"),
        b"<opml>" + b"<outline>" * 50_000,
    ],
    ids=range(9),
)
def test_what_is_no_list_or_defines_entities_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="cannot be read as OPML"):
        read_opml(body)


def test_a_hundred_thousand_rows_are_capped() -> None:
    """FAULTS 66."""
    started = time.thread_time()
    listed = read_opml(opml("".join(f'<outline xmlUrl="https://x.example.org/{n}"/>' for n in range(100_000))))
    assert len(listed.outlines) == MOST_OUTLINES
    assert listed.warnings == ("95,000 feeds beyond the first 5,000 were left out",)
    assert time.thread_time() - started < 10


@given(st.binary(max_size=200) | st.text(max_size=200).map(opml))
@settings(max_examples=150)
def test_any_file_is_read_or_refused(body: bytes) -> None:
    try:
        listed = read_opml(body)
    except Refused:
        return
    assert all(outline.url.startswith("http") for outline in listed.outlines)
