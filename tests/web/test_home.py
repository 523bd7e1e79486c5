"""The first page in each of its states: fresh, without a network, quiet, and full of news that means harm."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlmodel import Session

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, SourceSpec, TopicMatch
from monitor.runners.assemble import make_app
from monitor.settings import Settings
from monitor.store.items import insert_entries
from monitor.store.matches import Found, save_matches
from monitor.store.sources import save_source
from monitor.store.tables import SourceRow
from monitor.web.rendering import ago

Get = Callable[..., httpx.Response]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script> & Sons’ climate plan'


@pytest.fixture
def app(settings: Settings, started_folder: Path) -> Iterator[App]:
    """An installation that was just started for the first time, with the shipped topics and sources."""
    shutil.copytree(started_folder, settings.data_dir)
    opened = make_app(settings)
    yield replace(opened, clock=lambda: NOW)
    opened.database.close()


@pytest.fixture
def get(pages_of: Callable[[App], FastAPI]) -> Get:
    async def ask(app: App, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(pages_of(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return lambda app, path="/": asyncio.run(ask(app, path))


def heading(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found
    return found[1]


def add_match(session: Session, title: str, *topics: str, url: str = "https://agency.example/1") -> None:
    spec = SourceSpec("agency", "https://agency.example/feed", "Agency <b>", "CA", Language.FR)
    source_id = save_source(session, spec, actor="test", now=NOW)
    entry = Entry(key="1", url=url, title=title, summary=f"Un passage. {title}.", published_at=NOW - timedelta(days=1))
    insert_entries(session, source_id, "fr", [entry], NOW - timedelta(hours=2))
    place = Evidence(watch="fr", version=1, term="climate", field="summary", start=12, end=18)
    scores = (0.9 - 0.1 * position for position in range(len(topics)))
    found = [
        TopicMatch(topic, score, worthy=True, evidence=(place,)) for topic, score in zip(topics, scores, strict=True)
    ]
    save_matches(session, [Found(1, 1, found)], watchlist_version="1", now=NOW)


def fail_all(session: Session) -> None:
    values = {"failures": 1, "last_polled_at": NOW - timedelta(minutes=5), "last_error": "the site's name is unknown"}
    session.connection().execute(update(SourceRow).values(values))


def test_a_fresh_start_shows_what_will_be_watched(app: App, get: Get) -> None:
    page = get(app).text
    assert heading(page) == "Waiting for the first news"
    assert "NORAD and continental defence" in page
    assert "sources will be visited for the first time" in page
    assert "<svg class=" not in page


def test_without_a_network_it_says_so_and_what_can_be_done(app: App, get: Get) -> None:
    with app.database.write() as session:
        fail_all(session)
    page = get(app).text
    assert heading(page) == "No source can be reached"
    assert "monitor doctor" in page
    assert "make demo" in page
    assert "5 minutes ago" in page


def test_news_is_counted_and_shown_with_its_topics_once(app: App, get: Get) -> None:
    with app.database.write() as session:
        add_match(session, "Un plan pour l’Arctique", "arctic", "norad")
    page = get(app).text
    assert heading(page) == "1 piece of news in seven days"
    assert "on 2 of the 24 topics" in page
    newest = page[page.index('id="newest"') :]
    assert newest.count("Un plan pour l’Arctique</a>") == 1
    assert re.findall(r'<li><a href="/topics/([a-z]+)">', newest) == ["arctic", "norad"]
    assert "22 November" in page


def test_what_the_service_keeps_to_itself_is_not_told_to_the_public(app: App, get: Get) -> None:
    """Errors of sources and folders of the server are for the staff."""
    with app.database.write() as session:
        add_match(session, "Un plan", "arctic")
        fail_all(session)
    page = get(app).text
    assert "the site&#39;s name is unknown" not in page
    assert str(app.settings.outbox_dir) not in page


def test_a_headline_that_means_harm_is_only_text(app: App, get: Get) -> None:
    with app.database.write() as session:
        add_match(session, HOSTILE, "climate-ministerial", url="javascript:alert(1)")
    page = get(app).text
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; Sons’" in page
    assert "<script>alert" not in page
    assert "javascript:" not in page
    assert "Agency &lt;b&gt;" in page
    assert '<h3 class="headline" lang="fr">' in page


def test_old_news_leaves_a_quiet_week(app: App, get: Get) -> None:
    with app.database.write() as session:
        add_match(session, "Un plan", "arctic")
        session.connection().execute(update(SourceRow).values(last_polled_at=NOW, last_success_at=NOW))
    page = get(replace(app, clock=lambda: NOW + timedelta(days=30))).text
    assert heading(page) == "Nothing new on the Roadmap in seven days"
    assert "30 days ago" in page


def test_the_page_needs_no_script_and_carries_a_strict_policy(app: App, get: Get) -> None:
    response = get(app)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(r"<script(?! src=\"/static/)|\sstyle=|\son[a-z]+=", response.text)
    assert '<html lang="en">' in response.text
    levels = [int(level) for level in re.findall(r"<h([1-6])", response.text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_no_address_leads_to_a_bare_error(app: App, get: Get) -> None:
    response = get(app, "/nowhere")
    assert response.status_code == 404
    assert "There is no page at this address." in response.text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7_300, "2 hours ago"),
        (86_400, "1 day ago"),
        (200 * 86_400, "200 days ago"),
        (-1, "within a minute"),
        (-59, "within a minute"),
        (-60, "in 1 minute"),
        (-3 * 3_600, "in 3 hours"),
    ],
)
def test_times_are_told_in_words(seconds: int, said: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == said


def test_no_time_is_never() -> None:
    assert ago(None, NOW) == "never"
