"""The file of sources, and the one that is shipped."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.core.sources_file import check_country, read_selectors, read_source, read_sources, write_sources
from monitor.errors import Refused, SettingError
from monitor.shipped import shipped

GOOD = {
    "slug": '"a-b"',
    "url": '"https://x.example.org/feed"',
    "agency": '"An Agency"',
    "country": '"CA"',
    "language": '"en"',
}


def written(**changes: str | None) -> str:
    lines = {**GOOD, **changes}
    return "[[sources]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None)


def test_the_least_that_a_source_needs() -> None:
    assert read_sources(written(), "f") == (
        SourceSpec("a-b", "https://x.example.org/feed", "An Agency", "CA", Language.EN),
    )
    assert read_sources("", "f") == ()


def test_a_page_has_selectors() -> None:
    text = written(kind='"page"', selectors='{ item = "li.post", title = "h3 > a[href]", article = "main" }')
    (source,) = read_sources(text, "f")
    assert source.kind is SourceKind.PAGE
    assert source.selectors == {"item": "li.post", "title": "h3 > a[href]", "article": "main"}


ADDRESS = "write an address that begins with https:// or http://"
SLUG = "use small letters, digits and single hyphens"
COUNTRY = "write an ISO 3166 code such as CA, or EU, or INT"
LANGUAGE = "write one of en, fr, es"
DAY = "write a day as YYYY-MM-DD, or leave it empty"
SELECTORS = "item, title, link, date, summary, next, article"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("slug", None, "slug = None: give it a value"),
        ("slug", '"Not A Slug"', f"slug = 'Not A Slug': {SLUG}"),
        ("slug", "7", "slug = 7: write a text in quotes"),
        ("url", '"ftp://x.example.org/"', f"url = 'ftp://x.example.org/': {ADDRESS}"),
        ("url", '"https://"', f"url = 'https://': {ADDRESS}"),
        ("url", '"https://user:secret@x.example.org/"', f"url = 'https://user:secret@x.example.org/': {ADDRESS}"),
        (
            "url",
            '"https://x.example.org\\\\@evil.example/"',
            rf"url = 'https://x.example.org\\@evil.example/': {ADDRESS}",
        ),
        ("url", '"http://[bad"', f"url = 'http://[bad': {ADDRESS}"),
        ("agency", '""', "agency = '': give it a value"),
        ("country", '"Canada"', f"country = 'Canada': {COUNTRY}"),
        ("language", '"any"', f"language = 'any': {LANGUAGE}"),
        ("language", '"de"', f"language = 'de': {LANGUAGE}"),
        ("kind", '"sitemap"', "kind = 'sitemap': write feed or page"),
        ("kind", '"page"', "selectors = {}: a page needs at least the selector item"),
        ("selectors", '"li"', 'selectors = \'li\': write { item = "…", title = "…" }'),
        ("selectors", '{ item = "li[" }', "selectors.item = 'li[': write a CSS selector"),
        ("selectors", '{ thing = "li" }', f"selectors.thing = 'li': no such key; known are {SELECTORS}"),
        ("last_verified", '"2026-07"', f"last_verified = '2026-07': {DAY}"),
        ("last_verified", "2026-07-01", "last_verified = datetime.date(2026, 7, 1): write a text in quotes"),
        ("colour", '"red"', "colour = 'red': no such key; known are slug, url, agency, country, language, "),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(key: str, value: str | None, told: str) -> None:
    with pytest.raises(SettingError, match=rf"^sources\.toml: sources\[0\]\.{re.escape(told)}"):
        read_sources(written(**{key: value}), "sources.toml")


def test_a_single_source_is_read_as_strictly() -> None:
    row = {"slug": "a-b", "url": "http://x.example.org/feed", "agency": "An Agency", "country": "CA", "language": "en"}
    assert read_source(row).url == "http://x.example.org/feed"
    for wrong, told in (
        ({"url": "x"}, f"^the source: url = 'x': {ADDRESS}$"),
        ({"colour": "red"}, "^the source: colour = 'red': no such key; known are slug, "),
        ({"slug": ""}, "^the source: slug = '': give it a value$"),
    ):
        with pytest.raises(SettingError, match=told):
            read_source(row | wrong)
    assert read_selectors({"item": "li"}) == {"item": "li"}
    with pytest.raises(SettingError, match=r"^the page: selectors\.title = 'a\[': write a CSS selector$"):
        read_selectors({"item": "li", "title": "a["})
    with pytest.raises(SettingError, match=r"^the page: selectors = \{\}: a page needs at least the selector item$"):
        read_selectors({})


def test_a_country_has_a_code() -> None:
    for code in ("CA", "EU", "INT"):
        check_country(code)
    with pytest.raises(Refused, match=f"^country 'United States of Ame': {COUNTRY}$"):
        check_country("United States of America")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[sources]", "^f: TOML = .+ line 1, column 10.+: correct the syntax at that place$"),
        ("sources = 3", r"^f: sources = 3: write each source as a \[\[sources\]\] table$"),
        ("[sources]\nslug = 'a'", r"^f: sources = .*'slug': 'a'.*: write each source as a \[\[sources\]\] table$"),
        ("[[source]]\nslug = 'a'", "^f: source = .*: no such key; known are sources$"),
    ],
)
def test_a_file_of_another_shape_is_refused(text: str, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        read_sources(text, "f")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"slug": '"c"'}, r"f: sources[1].url = 'https://x.example.org/feed': each source needs its own"),
        ({"url": '"https://x.example.org/other"'}, "f: sources[1].slug = 'a-b': each source needs its own"),
    ],
)
def test_a_slug_and_an_address_stand_once(other: dict[str, str], told: str) -> None:
    with pytest.raises(SettingError, match=f"^{re.escape(told)}$"):
        read_sources(written() + written(**other), "f")


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(str.strip)
_SOURCES = st.builds(
    SourceSpec,
    slug=st.from_regex(r"[a-z0-9]{1,9}(-[a-z0-9]{1,9})?", fullmatch=True),
    url=st.integers(0).map('https://x.example.org/?a="b"&n={}'.format),
    agency=_TEXT.filter(bool),
    country=st.sampled_from(["CA", "US", "INT", "EU"]),
    language=st.sampled_from([Language.EN, Language.FR, Language.ES]),
    kind=st.just(SourceKind.PAGE),
    selectors=st.just({"item": "a[href^='/x']", "date": 'time[datetime*="2"]'}),
    last_verified=st.just("") | st.dates(date(2020, 1, 1)).map(str),
    note=_TEXT,
)


@given(st.lists(_SOURCES, max_size=4, unique_by=(lambda s: s.slug, lambda s: s.url)))
@settings(max_examples=60)
def test_what_is_written_is_read_again(sources: list[SourceSpec]) -> None:
    text = write_sources(sources)
    assert read_sources(text, "f") == tuple(sources)
    assert write_sources(read_sources(text, "f")) == text


SHIPPED = read_sources(shipped("config", "sources.toml").read_text("utf-8"), "config/sources.toml")


def test_the_shipped_sources_cover_both_countries_and_three_languages() -> None:
    assert len(SHIPPED) >= 80
    assert {"CA", "US", "MX", "INT", "EU"} <= {source.country for source in SHIPPED}
    assert {source.language for source in SHIPPED} == {Language.EN, Language.FR, Language.ES}
    assert write_sources(SHIPPED) in shipped("config", "sources.toml").read_text("utf-8")


@pytest.mark.parametrize("source", SHIPPED, ids=lambda source: source.slug)
def test_a_shipped_source_says_what_it_is(source: SourceSpec) -> None:
    assert source.slug.startswith(f"{source.country.lower()}-")
    assert not source.slug.endswith(tuple({"-en", "-fr", "-es"} - {f"-{source.language}"}))
    assert source.url.startswith("https://")


def test_the_page_about_sources_counts_what_is_shipped() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
    verified = sum(bool(source.last_verified) for source in SHIPPED)
    assert f"**{len(SHIPPED)} sources**, {verified} of them" in page
