"""The feeds of topics and pillars: read back by a feed reader, inert, and cheap to ask for again."""

from __future__ import annotations

import json
from typing import Any

import feedparser
import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceSpec
from monitor.review.verdicts import judge
from monitor.store.items import insert_entries
from monitor.store.sources import save_source
from monitor.store.tables import MatchRow

HOSTILE = "NORAD <script>alert(1)</script> & \u202ereversed\x0b ]]> {{ 7*7 }}"


def publish(site: Any, *titles: str) -> None:
    spec = SourceSpec("agency", "https://agency.example/feed", "Agency & Sons", "CA", Language.EN)
    entries = [Entry(title, f"https://agency.example/{number}", title) for number, title in enumerate(titles)]
    with site.app.database.write() as session:
        source_id = save_source(session, spec, actor="test", now=site.now)
        insert_entries(session, source_id, "en", entries, site.now)
    site.tick("recover_lost_work")


def test_a_pillar_has_the_news_of_its_topics_each_once(site: Any) -> None:
    publish(site, "NORAD is renewed", "A border for NORAD", "Methane", "A park")
    answer = site.get("/pillars/security/feed.atom")
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    feed = feedparser.parse(answer.content)
    assert not feed.bozo, feed.get("bozo_exception")
    assert {entry.title for entry in feed.entries} == {"NORAD is renewed", "A border for NORAD"}
    both = next(entry for entry in feed.entries if entry.title == "A border for NORAD")
    assert {tag.term for tag in both.tags} == {"NORAD", "Border"}
    assert both.author == "Agency & Sons"
    topic = json.loads(site.get("/topics/methane/feed.json").text)
    assert [item["title"] for item in topic["items"]] == ["Methane"]
    assert topic["feed_url"].endswith("/topics/methane/feed.json")


def test_an_unchanged_feed_is_not_sent_again(site: Any) -> None:
    publish(site, "NORAD is renewed")
    first = site.get("/topics/norad/feed.atom")
    again = site.get("/topics/norad/feed.atom", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    publish(site, "NORAD is renewed", "NORAD again")
    assert site.get("/topics/norad/feed.atom", **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_what_attacks_stays_text(site: Any) -> None:
    publish(site, HOSTILE)
    answer = site.get("/topics/norad/feed.atom")
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert b"<script" not in answer.content
    (item,) = json.loads(site.get("/topics/norad/feed.json").text)["items"]
    assert item["title"].startswith("NORAD <script>alert(1)</script> & reversed")
    assert "content_html" not in item
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_noise_is_in_no_feed(site: Any) -> None:
    publish(site, "NORAD is renewed")
    with site.app.database.write() as session:
        (match,) = site.rows(MatchRow)
        judge(session, [match.id], "noise", reviewer="r", now=site.now)
    assert json.loads(site.get("/topics/norad/feed.json").text)["items"] == []


@pytest.mark.parametrize("path", ["/topics/nothing/feed.atom", "/pillars/nothing/feed.json", "/topics/norad/feed.exe"])
def test_what_is_not_there_is_not_found(site: Any, path: str) -> None:
    assert site.get(path).status_code in {404, 422}
