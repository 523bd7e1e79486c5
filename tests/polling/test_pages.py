"""Pages that list publications: ``tests/data/pages/NAME.html`` gives ``NAME.expected.json``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.polling.charset import decode
from monitor.polling.detect import propose_selectors
from monitor.polling.pages import ParsedPage, StructureChanged, parse_page, repeats

PAGES = Path(__file__).parents[1] / "data" / "pages"
URL = "https://list.example.gov/en/news.html"
VISITED = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
WET = {"item": "article.item", "title": "h3 a", "date": "time", "summary": "p.teaser"}
EXPECTED = {path.name.split(".")[0]: json.loads(path.read_text("utf-8")) for path in PAGES.glob("*.expected.json")}


def page(name: str) -> bytes:
    return (PAGES / f"{name}.html").read_bytes()


def read(body: bytes, selectors: Mapping[str, str], language: Language | None = None) -> ParsedPage | StructureChanged:
    return parse_page(body, url=URL, selectors=selectors, language=language, now=VISITED)


def listed(body: bytes | str, selectors: Mapping[str, str] = WET) -> ParsedPage:
    result = read(body.encode() if isinstance(body, str) else body, selectors)
    assert isinstance(result, ParsedPage), result
    return result


def shown(result: ParsedPage | StructureChanged) -> dict[str, Any]:
    if isinstance(result, StructureChanged):
        return {"structure_changed": result.detail}
    entries = [
        {
            "url": entry.url,
            "title": entry.title,
            "summary": entry.summary,
            "language": entry.language,
            "published_at": entry.published_at and entry.published_at.isoformat(),
        }
        for entry in result.entries
    ]
    said = {"title": result.title, "next_url": result.next_url, "warnings": list(result.warnings)}
    return {
        **{name: value for name, value in said.items() if value},
        "entries": [{name: value for name, value in entry.items() if value} for entry in entries],
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_a_page_reads_as_expected(name: str) -> None:
    """FAULTS 30 is among them: selectors that find nothing are an alarm, never "0 items"."""
    expected = dict(EXPECTED[name])
    options = expected.pop("given")
    expected.pop("proposed", None)
    language = Language(options["language"]) if "language" in options else None
    assert shown(read(page(name), options["selectors"], language)) == expected


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if "proposed" in expected])
def test_the_detector_finds_what_a_person_found(name: str) -> None:
    expected = EXPECTED[name]
    proposal = propose_selectors(decode(page(name)))
    assert proposal is not None
    assert proposal.selectors == expected["proposed"]
    found = listed(page(name), proposal.selectors)
    assert [entry.title for entry in found.entries] == [entry["title"] for entry in expected["entries"]]
    assert proposal.found == len(found.entries)


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>Only words</p>",
        "<nav><ul>"
        + "".join(f'<li><a href="/{n}">A menu entry of some length {n}</a></li>' for n in range(9))
        + "</ul></nav>",
        "<ul>" + "".join(f'<li><a href="/{n}">More</a></li>' for n in range(9)) + "</ul>",
        "<ul>" + '<li><a href="/same">The same link again and again</a></li>' * 9 + "</ul>",
    ],
    ids=["empty", "words", "menu", "short", "same"],
)
def test_the_detector_proposes_nothing_where_no_list_is(html: str) -> None:
    assert propose_selectors(html) is None


def test_tokens_and_scripts_are_no_change() -> None:
    """FAULTS 32."""
    body = decode(page("wet-list"))
    later = body.replace("8f1c", "77aa").replace("9a2d", "0b0b").replace("utm_source=list", "utm_source=other")
    assert later != body
    assert listed(later).entries == listed(body).entries
    assert [e.content_hash for e in listed(later).entries] == [e.content_hash for e in listed(body).entries]


def test_a_second_page_that_is_the_first_is_noticed() -> None:
    """FAULTS 31."""
    first = listed(page("wet-list"))
    second = listed(decode(page("wet-list")).replace("/2026/11/", "/2026/10/"))
    assert repeats(first, first)
    assert repeats(listed(decode(page("wet-list")).replace("8f1c", "77aa")), first)
    assert not repeats(second, first)


def test_a_date_selector_that_finds_no_date_is_a_warning() -> None:
    result = listed(page("wet-list"), {**WET, "date": "h3"})
    assert result.warnings == ("the selector date finds no date that can be read",)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000 + "<article class=item><h3><a href=/x>t</a></h3></article>",
        "<article class=item " + " ".join(f"a{n}=1" for n in range(100_000)) + "><h3><a href=/x>t</a></h3></article>",
        "<b>" * 200_000 + "</p>" * 50_000,
        '<article class="item"><h3><a href="/x">t</a></h3>' * 3000,
        '<ul><li class="a"><a href="/x">A title of some length</a></li>' * 250,
    ],
    ids=["deep", "attributes", "open", "unclosed items", "nested lists"],
)
def test_a_heap_of_markup_takes_bounded_time(html: str) -> None:
    started = time.thread_time()
    read(html.encode(), WET)
    propose_selectors(html)
    assert time.thread_time() - started < 5


_MARKUP = (
    '<article class="item">|</article>|<h3>|</h3>|<a href="/x">|<a href="javascript:x">|</a>|<time>|</time>|<p>|text|é'
    "|\x00|<script>|</script>|<!--|-->|<table>|<tr>|<td>|2026-11-23"
)
_PIECES = st.sampled_from(_MARKUP.split("|"))


@given(st.lists(_PIECES, max_size=40).map("".join))
@settings(max_examples=150)
def test_any_page_has_an_outcome(html: str) -> None:
    result = read(html.encode(), WET)
    if isinstance(result, ParsedPage):
        assert all(entry.url.startswith("https://list.example.gov/") and entry.title for entry in result.entries)
    propose_selectors(html)
