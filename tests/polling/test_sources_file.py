"""The file of sources, and the one that is shipped."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.core.sources_file import read_sources, write_sources
from monitor.errors import SettingError
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


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("slug", None),
        ("slug", '"Not A Slug"'),
        ("slug", "7"),
        ("url", '"ftp://x.example.org/"'),
        ("url", '"https://"'),
        ("url", '"https://user:secret@x.example.org/"'),
        ("url", '"https://x.example.org\\\\@evil.example/"'),
        ("url", '"http://[bad"'),
        ("agency", '""'),
        ("country", '"Canada"'),
        ("language", '"any"'),
        ("language", '"de"'),
        ("kind", '"sitemap"'),
        ("kind", '"page"'),
        ("selectors", '"li"'),
        ("selectors", '{ item = "li[" }'),
        ("selectors", '{ thing = "li" }'),
        ("last_verified", '"2026-07"'),
        ("last_verified", "2026-07-01"),
        ("colour", '"red"'),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(key: str, value: str | None) -> None:
    with pytest.raises(SettingError) as caught:
        read_sources(written(**{key: value}), "sources.toml")
    assert caught.value.where == "sources.toml"
    assert "sources[0]." in caught.value.key
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["[[sources]", "sources = 3", "[sources]\nslug = 'a'", "[[source]]\nslug = 'a'"])
def test_a_file_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(SettingError):
        read_sources(text, "f")


@pytest.mark.parametrize("other", [{"slug": '"c"'}, {"url": '"https://x.example.org/other"'}])
def test_a_slug_and_an_address_stand_once(other: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="needs its own"):
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
@settings(max_examples=60, deadline=None)
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
