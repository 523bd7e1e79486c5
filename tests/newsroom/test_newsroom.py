"""The sample newsroom serves what it promises: every format, every trap, validators, and a second state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest

from monitor.core.languages import READER_LANGUAGES
from monitor.core.nouns import Entry, SourceSpec
from monitor.matching.topics import read_topics
from monitor.newsroom import Newsroom
from monitor.newsroom.offices import read_offices
from monitor.polling.parse import NotAFeed, ParsedFeed, parse_feed
from monitor.shipped import shipped

NOW = datetime(2026, 11, 25, 15, tzinfo=UTC)
OFFICES = {office.slug: office for office in read_offices()}
FEEDS = sorted(OFFICES)


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    with Newsroom(NOW) as opened:
        yield opened


def get(url: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path, headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def source(newsroom: Newsroom, slug: str) -> SourceSpec:
    return next(spec for spec in newsroom.sources if spec.slug == slug)


def read(newsroom: Newsroom, slug: str) -> ParsedFeed | NotAFeed:
    spec = source(newsroom, slug)
    response, body = get(spec.url)
    content_type = response.headers["Content-Type"]
    return parse_feed(body, url=spec.url, content_type=content_type, language=spec.language, now=NOW)


def entries(newsroom: Newsroom, slug: str) -> dict[str, Entry]:
    feed = read(newsroom, slug)
    assert isinstance(feed, ParsedFeed)
    return {entry.title: entry for entry in feed.entries}


@pytest.mark.parametrize("slug", FEEDS)
def test_an_unchanged_document_is_answered_with_304(newsroom: Newsroom, slug: str) -> None:
    first, body = get(source(newsroom, slug).url)
    again, nothing = get(source(newsroom, slug).url, **{"If-None-Match": first.headers["ETag"]})
    assert (first.status, again.status, nothing) == (200, 304, b"")
    assert len(body) > 500


@pytest.mark.parametrize("slug", FEEDS)
def test_every_feed_shows_all_that_its_office_publishes(newsroom: Newsroom, slug: str) -> None:
    shown = OFFICES[slug].at_state(edited=False)
    feed = read(newsroom, slug)
    assert isinstance(feed, ParsedFeed)
    guids = {release.guid or release.name for release in shown}
    assert len(feed.entries) == len(guids)
    assert all(entry.title and entry.summary for entry in feed.entries)
    assert all("<" not in entry.title + entry.summary + entry.body for entry in feed.entries)


@pytest.mark.parametrize("slug", FEEDS)
def test_the_dates_are_those_of_the_releases_whatever_the_format(newsroom: Newsroom, slug: str) -> None:
    found = entries(newsroom, slug)
    # A title that two items share stands for one of them here.
    shared = {"Statement by the Minister", "Nominations Sent to the Sample Chamber"}
    for release in OFFICES[slug].at_state(edited=False):
        entry = found.get(release.title.replace("\u2060", ""))
        if entry is None or entry.title in shared:
            continue
        # A date that lies ahead is clamped by the reader to the time of the visit.
        told = None if release.days is None else NOW - timedelta(days=max(release.days, 0))
        assert entry.published_at == (told.replace(microsecond=0) if told else None), release.name


@pytest.mark.parametrize(
    ("slug", "trap"),
    [
        ("sample-ministry-en", "North American Leaders\u2060’ Summit"),
        ("sample-ministry-en", "volunteers who keep"),
        ("sample-ministry-en", "&lt;strong&gt;"),
        ("sample-ministry-fr", ". 2026 "),
        ("sample-ministry-fr", " nov"),
        ("sample-secretariat-es", "clima político"),
        ("sample-defense-en", "NORAD Tracks Santa"),
        ("sample-defense-en", "National Security Council"),
        ("sample-climate-en", "political climate"),
        ("sample-climate-en", (NOW + timedelta(days=45)).date().isoformat()),
        ("sample-house-en", "<content:encoded>"),
        ("sample-house-en", "javascript:"),
        ("sample-house-en", "<script>"),
    ],
)
def test_the_trap_is_in_the_feed(newsroom: Newsroom, slug: str, trap: str) -> None:
    _, body = get(source(newsroom, slug).url)
    assert trap in body.decode()


def test_a_guid_and_two_titles_are_used_twice(newsroom: Newsroom) -> None:
    feed = read(newsroom, "sample-ministry-en")
    assert isinstance(feed, ParsedFeed)
    assert len(feed.warnings) == 1
    assert "repeat the key of another" in feed.warnings[0]
    for slug, title in (
        ("sample-ministry-en", "Statement by the Minister"),
        ("sample-house-en", "Nominations Sent to the Sample Chamber"),
    ):
        feed = read(newsroom, slug)
        assert isinstance(feed, ParsedFeed)
        assert len({entry.key for entry in feed.entries if entry.title == title}) == 2


def test_what_cannot_be_visited_is_no_link(newsroom: Newsroom) -> None:
    assert entries(newsroom, "sample-house-en")["Photo gallery: the garden in spring"].url == ""


def test_the_twins_lie_on_paired_paths(newsroom: Newsroom) -> None:
    english = {release.name for release in OFFICES["sample-ministry-en"].releases}
    french = [release.name for release in OFFICES["sample-ministry-fr"].releases]
    assert len(english.intersection(french)) >= 8
    newsroom.edit()
    for name in english.intersection(french):
        for slug in ("sample-ministry-en", "sample-ministry-fr"):
            response, _ = get(f"{newsroom.url}{OFFICES[slug].folder}/{name}.html")
            assert response.status == 200


def test_every_link_leads_to_an_article_that_says_that_it_is_a_sample(newsroom: Newsroom) -> None:
    for entry in entries(newsroom, "sample-climate-en").values():
        response, body = get(entry.url)
        assert response.status == 200
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "the news and all that happens in it were invented" in body.decode()


def test_an_edit_corrects_one_release_and_brings_the_news_of_the_day(newsroom: Newsroom) -> None:
    before = {slug: {e.key: e for e in entries(newsroom, slug).values()} for slug in FEEDS}
    tags = {slug: get(source(newsroom, slug).url)[0].headers["ETag"] for slug in OFFICES}
    newsroom.edit()
    after = {slug: {e.key: e for e in entries(newsroom, slug).values()} for slug in FEEDS}
    new = [key for slug in FEEDS for key in after[slug].keys() - before[slug].keys()]
    edited = [
        (before[slug][key].title, entry.title)
        for slug in FEEDS
        for key, entry in after[slug].items()
        if key in before[slug] and before[slug][key].content_hash != entry.content_hash
    ]
    changed = {slug for slug in OFFICES if get(source(newsroom, slug).url)[0].headers["ETag"] != tags[slug]}
    assert len(new) == 3
    assert [(old[:30], "(corrected)" in title) for old, title in edited] == [("Work plan on critical minerals", True)]
    assert changed == {"sample-ministry-en", "sample-ministry-fr", "sample-climate-en"}


def test_the_sources_in_trouble_answer_as_named(newsroom: Newsroom) -> None:
    answers = {spec.slug: get(spec.url) for spec in newsroom.sources if spec.slug in newsroom.troubled}
    harbour, statistics, archive = (
        answers[slug] for slug in ("sample-harbour-en", "sample-statistics-en", "sample-archive-en")
    )
    assert (harbour[0].status, harbour[1]) == (202, b"")
    assert statistics[0].status == 200
    assert b"Technical Difficulties" in statistics[1]
    assert isinstance(read(newsroom, "sample-statistics-en"), NotAFeed)
    assert archive[0].status == 404


def test_the_releases_cover_every_topic_in_every_language_of_the_service() -> None:
    path = shipped("config", "topics.toml")
    topics = {topic.id for topic in read_topics(path.read_text(encoding="utf-8"), str(path)).topics}
    releases = [release for office in OFFICES.values() for release in office.releases]
    assert {topic for release in releases for topic in release.about} == topics
    assert {topic for release in releases for topic in release.near} <= topics
    assert {office.language for office in OFFICES.values()} == set(READER_LANGUAGES)
    assert {office.format for office in OFFICES.values()} == {"rss", "wordpress", "atom", "rdf", "json"}


def test_a_robots_file_lets_everybody_in(newsroom: Newsroom) -> None:
    response, body = get(f"{newsroom.url}/robots.txt")
    assert (response.status, body) == (200, b"User-agent: *\nAllow: /\n")
    assert get(f"{newsroom.url}/nowhere")[0].status == 404
