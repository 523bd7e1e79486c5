"""The sources' pages: health, adding by address, visits, selectors and feed lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.core.roles import Role
from monitor.polling.fetch import FailureKind
from monitor.polling.intake import PUSHED
from monitor.polling.reading import READ, UNCHANGED
from monitor.store.hubs import note_offer, note_push
from monitor.store.sources import save_source
from monitor.store.tables import EventRow, ItemRow, PollRow, SourceRow

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Office of Radars</title><language>en</language>
{items}</channel></rss>"""
ITEM = "<item><title>{0}</title><link>https://radars.example/{1}</link><guid>{1}</guid><description>Text.</description></item>"
PAGE = """<html lang="en"><title>News</title><ul id="news">{}</ul></html>""".format(
    "".join(
        f'<li><a href="/n/{n}">A publication of some length, number {n}</a> <time>2026-11-0{n}</time></li>'
        for n in range(1, 6)
    )
)


def feed(*titles: str) -> str:
    return FEED.format(items="".join(ITEM.format(title, number) for number, title in enumerate(titles)))


@pytest.fixture
def stored(site: Any) -> Callable[..., None]:
    """Stores sources by slug, with other values where they are given."""

    def store(slug: str, **values: Any) -> None:
        spec = SourceSpec(slug, values.pop("url", f"https://{slug}.example/feed"), f"Office {slug}", "CA", Language.EN)
        with site.app.database.write() as session:
            save_source(session, spec, actor="test", now=site.now)
            row = session.get(SourceRow, 1) if slug == "pm" else None
            for name, value in values.items():
                setattr(row, name, value)

    return store


def source(site: Any, slug: str) -> SourceRow:
    rows: list[SourceRow] = site.rows(SourceRow)
    return next(row for row in rows if row.slug == slug)


def test_the_list_tells_how_each_fares_and_filters(site: Any, desk: Any, stored: Any) -> None:
    stored("pm", failures=4, last_error="no name <b>here</b>", health="dns")
    stored("dfo")
    page = desk.get("/sources").text
    assert "failing" in page
    assert "no name &lt;b&gt;here" in page
    assert "not read yet" in page
    only = desk.get("/sources?state=failing").text
    assert "Office pm" in only
    assert "Office dfo" not in only
    assert "Office dfo" in desk.get("/sources?q=DFO&country=CA&language=en").text
    assert "No source is like that." in desk.get("/sources?q=%25_%27%22%00;--").text


def test_a_source_is_added_by_its_address(site: Any, desk: Any, serve: Any) -> None:
    desk.may_fetch(loopback=True)
    address = serve(lambda _base, _path: feed("NORAD radars", "<i>Second</i> &amp; last"))
    shown = desk.post("/sources/add", {"address": address, "action": "look"}).text
    assert "NORAD radars" in shown
    assert "Office of Radars" in shown
    assert site.rows(SourceRow) == []
    offer = {
        "action": "store",
        "address": address,
        "url": address,
        "kind": "feed",
        "agency": "Radars",
        "language": "en",
    }
    wrong = desk.post("/sources/add", offer | {"country": "Canada"})
    assert (wrong.status_code, "ISO 3166" in wrong.text) == (422, True)
    answer = desk.post("/sources/add", offer | {"country": "CA"})
    assert answer.headers["Location"] == "/sources/ca-127-0-0-1-en"
    assert source(site, "ca-127-0-0-1-en").agency == "Radars"
    again = desk.post("/sources/add", offer | {"country": "CA"})
    assert (again.status_code, "there already" in again.text) == (422, True)


def test_a_page_offers_selectors_that_can_be_tried_and_changed(site: Any, desk: Any, serve: Any) -> None:
    desk.may_fetch(loopback=True)
    again = PAGE.replace("</html>", '<a rel="next" href="/page/2">Older</a></html>')
    address = serve(lambda _base, path: again if path in {"/feed", "/page/2"} else "")
    shown = desk.post("/sources/add", {"address": address, "action": "look"}).text
    assert "Page 2 is page 1 again" in shown
    assert 'name="selector_item" value="' in shown
    fields = {
        "url": address,
        "kind": "page",
        "agency": "Radars",
        "country": "CA",
        "language": "en",
        "selector_item": "#news li",
    }
    desk.post("/sources/add", fields | {"action": "store", "address": address})
    edit = "/sources/ca-127-0-0-1-en/edit"
    tried = desk.post(edit, fields | {"action": "try"}).text
    assert ("number 3" in tried, "age 2 is page 1 again" in tried) == (True, True)
    assert "finds nothing" in desk.post(edit, fields | {"action": "try", "selector_item": "#nothing li"}).text
    broken = desk.post(edit, fields | {"action": "save", "selector_item": "li["})
    assert (broken.status_code, "CSS selector" in broken.text) == (422, True)
    assert desk.post(edit, fields | {"action": "save", "selector_date": "time"}).status_code == 303
    assert source(site, "ca-127-0-0-1-en").selectors == {"item": "#news li", "date": "time"}


def test_a_source_with_a_hub_says_when_it_last_pushed(site: Any, desk: Any, stored: Any) -> None:
    stored("pm")
    assert "Last push" not in desk.get("/sources/pm").text
    for hub, pushes, told in (("one", False, "never"), ("one", True, "2 hours ago"), ("another", False, "never")):
        with site.app.database.write() as session:
            note_offer(session, 1, f"https://{hub}.example/", "https://pm.example/feed", site.now)
            if pushes:
                note_push(session, 1, site.now - timedelta(hours=2))
        page = BeautifulSoup(desk.get("/sources/pm").text, "lxml")
        (shown,) = (row.dd for row in page.select(".facts div") if row.dt and "Last push" in row.dt.text)
        assert shown
        assert shown.text == told


def test_a_visit_is_asked_for_and_followed(site: Any, desk: Any, stored: Any, serve: Any) -> None:
    desk.may_fetch(loopback=True)
    stored("pm", url=serve(lambda _base, _path: feed("NORAD radars", "Other news")))
    answer = desk.post("/sources/pm/visit")
    assert answer.headers["Location"] == "/sources/pm?since=0#progress"
    part = desk.get("/sources/pm/progress?since=0").text
    assert "Visited:" in part
    assert "2 new" in part
    assert "hx-get" not in part, "what is done is not asked for again"
    assert len(site.rows(ItemRow)) == 2
    assert {row.matched_revision for row in site.rows(ItemRow)} == {1}, "what came is matched, too"
    waiting = desk.get("/sources/pm/progress?since=99").text
    assert 'hx-get="/sources/pm/progress?since=99"' in waiting
    assert ("editor@example.org", "asked for a visit of") in {(row.actor, row.action) for row in site.rows(EventRow)}


def test_a_host_that_rests_is_left_alone_and_the_visit_is_due(site: Any, desk: Any, stored: Any) -> None:
    stored("pm", lease_until=site.now + timedelta(minutes=5), next_poll_at=site.now + timedelta(hours=9))
    assert desk.post("/sources/pm/visit").status_code == 303
    assert source(site, "pm").next_poll_at == site.now
    assert "is being visited" in desk.get("/sources/pm/progress?since=0").text


def test_a_source_is_paused_ended_and_resumed(site: Any, desk: Any, stored: Any) -> None:
    stored("pm")
    for action, state in (("pause", "paused"), ("end", "ended"), ("resume", "active")):
        assert desk.post(f"/sources/pm/{action}").status_code == 303
        assert source(site, "pm").state == state
    assert [(row.actor, row.action) for row in site.rows(EventRow) if row.noun == "source"][1:] == [
        ("editor@example.org", "paused"), ("editor@example.org", "ended"), ("editor@example.org", "active"),
    ]  # fmt: skip
    desk.post("/sources/pm/pause")
    refused = desk.post("/sources/pm/visit")
    assert "said=" in refused.headers["Set-Cookie"]
    assert source(site, "pm").lease_until is None


OPML = """<?xml version="1.0"?><opml version="2.0"><head><title>x</title></head><body>{}</body></opml>"""
OUTLINE = '<outline type="rss" text="{0}" xmlUrl="{1}"/>'


def test_a_feed_list_is_shown_then_added(site: Any, desk: Any, stored: Any) -> None:
    stored("pm")
    text = OPML.format(
        OUTLINE.format("Known", "https://pm.example/feed")
        + OUTLINE.format("New &lt;script&gt;", "https://new.example/feed")
        + OUTLINE.format("Bad", "javascript:alert(1)")
    )
    fields = {"country": "CA", "language": "fr"}
    shown = desk.post("/sources/import", fields | {"action": "look"}, files={"file": ("feeds.opml", text)}).text
    assert "One feed would be added" in shown
    assert "<script>" not in shown.replace('<script src="/static', "")
    assert len(site.rows(SourceRow)) == 1
    desk.post("/sources/import", fields | {"action": "store", "file": text})
    added = next(row for row in site.rows(SourceRow) if row.slug != "pm")
    assert (added.url, added.language, added.country) == ("https://new.example/feed", "fr", "CA")
    assert "https://new.example/feed" in desk.get("/sources/export.opml").text


HOSTILE = [
    "no opml",
    "",
    "\0",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>" + OPML.format("&a;"),
    "<html><body>page</body></html>",
]


def test_a_hostile_feed_list_is_refused(site: Any, desk: Any) -> None:
    for text in HOSTILE:
        answer = desk.post("/sources/import", {"country": "CA", "language": "en", "action": "store", "file": text})
        assert answer.status_code == 422
        assert 'class="problem"' in answer.text
    assert site.rows(SourceRow) == []


def test_a_feed_list_without_a_country_is_refused(desk: Any) -> None:
    fields = {"country": "100%", "language": "en", "action": "store", "file": OPML.format("")}
    answer = desk.post("/sources/import", fields)
    assert (answer.status_code, "ISO 3166" in answer.text) == (422, True)


def test_viewers_see_the_health_and_touch_nothing(desk_of: Any, stored: Any) -> None:
    stored("pm")
    viewer = desk_of(Role.VIEWER)
    page = viewer.get("/sources/pm")
    assert page.status_code == 200
    assert "Pause" not in page.text
    assert viewer.post("/sources/pm/pause").status_code == 403
    assert viewer.get("/sources/nothing").status_code == 404


def test_every_way_in_which_a_visit_may_end_has_a_name(site: Any, desk: Any, stored: Any) -> None:
    stored("pm")
    for outcome in (READ, UNCHANGED, PUSHED, *FailureKind):
        with site.app.database.write() as session:
            session.add(PollRow(source_id=1, started_at=site.now, duration_ms=1, outcome=outcome))
        assert desk.get("/sources/pm").status_code == 200, outcome
    assert "pushed by its hub" in desk.get("/sources/pm?lang=en").text
    assert "reçue de son concentrateur" in desk.get("/sources/pm?lang=fr").text


def test_a_failed_visit_is_told_in_the_language_of_the_page(site: Any, desk: Any, stored: Any, serve: Any) -> None:
    desk.may_fetch(loopback=True)
    stored("pm", url=serve(lambda _base, _path: "<html><p>Moved"))
    desk.post("/sources/pm/visit")
    for path in ("/sources", "/sources/pm", "/sources/pm/progress?since=0"):
        assert "e document est une page HTML" in desk.get(f"{path}{'&' if '?' in path else '?'}lang=fr").text
    page = desk.get("/sources/pm?lang=fr").text
    assert "pas un flux" in page, "the outcome of the visit"
    assert "visite demandée" in page, "the trail of who did what"
    assert "he document is an HTML page" in desk.get("/sources/pm?lang=en").text
