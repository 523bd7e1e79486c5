"""The API of the desk: the same use cases as the pages, with roles, cursors and problems."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.roles import Role
from monitor.store.tables import EventRow, SourceRow, WatchRow

WATCH = "/topics/norad/watches/any"
SOURCE = {"slug": "pm", "url": "https://pm.example/feed", "agency": "Prime Minister", "country": "CA", "language": "en"}


class Api:
    """The API as somebody with a role meets it."""

    def __init__(self, site: Any, role: Role) -> None:
        self.site, self.cookies = site, site.signed_in(role)

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        sent = {} if body is None else {"json": body}
        headers = {"Sec-Fetch-Site": "same-origin"}
        answer = self.site.ask(method, f"/api/v1{path}", cookies=self.cookies, headers=headers, **sent)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            return answer.json()
        return answer.json() if answer.content and "/json" in answer.headers.get("content-type", "") else answer.text


@pytest.fixture
def editor(site: Any) -> Api:
    return Api(site, Role.EDITOR)


def test_a_watch_from_draft_to_roll_back(site: Any, editor: Api) -> None:
    assert [one["query"] for one in editor("GET", "/topics/norad/watches")] == ["norad"]
    editor("PUT", f"{WATCH}/draft", {"query": "norad OR radar"})
    detail = editor("GET", WATCH)
    assert (detail["watch"]["query"], detail["draft"]["query"], detail["draft"]["based_on"]) == (
        "norad", "norad OR radar", 1,
    )  # fmt: skip
    problem = editor("POST", f"{WATCH}/publish", {"seen": 7}, status=409)
    assert "version 1 is live" in problem["detail"]
    assert editor("POST", f"{WATCH}/publish", {"seen": 1}) == {"version": 2}
    assert editor("POST", f"{WATCH}/roll-back", {"to": 1, "seen": 2}) == {"version": 3}
    editor("POST", f"{WATCH}/retire", status=204)
    assert [one["reason"] for one in editor("GET", WATCH)["versions"]] == ["retired", "rolled back to 1", "", ""]
    assert {row.actor for row in site.rows(EventRow) if row.noun == "watch"} == {"test", "editor@example.org"}


def test_a_query_is_tried_and_tested(editor: Api) -> None:
    tried = editor("POST", "/topics/norad/preview", {"query": "radar", "key": "any"})
    assert (tried["hits"], tried["gained"], tried["lost"]) == (0, 0, 0)
    tested = editor("POST", "/topics/norad/test", {"query": "radar*", "sample": "Old radars\nare renewed"})
    assert (tested["found"], tested["found_by_live"], tested["evidence"]) == (True, False, ["radars"])
    problem = editor("POST", "/topics/norad/preview", {"query": "norad AND (radar"}, status=400)
    assert problem["position"] == 10


def test_topics_and_the_file_of_all(site: Any, editor: Api) -> None:
    names = {"en": "Arctic", "fr": "Arctique", "es": "Ártico"}
    editor("PUT", "/topics/arctic", {"pillar": "security", "names": names, "threshold": 0.4}, status=204)
    editor("PUT", "/topics/arctic", {"pillar": "none", "names": names}, status=400)
    editor("POST", "/topics/arctic/retire", status=204)
    editor("POST", "/topics/arctic/restore", status=204)
    text = editor("GET", "/watchlist.toml")
    assert editor("POST", "/watchlist/import", {"text": text}) == {"changes": [], "done": 0}
    changed = {"text": text.replace("norad\n'''", "norad AND arctic\n'''")}
    plan = editor("POST", "/watchlist/import", changed)
    assert (plan["changes"], plan["done"]) == ([{"action": "update", "kind": "watch", "id": "norad/any"}], 0)
    assert editor("POST", "/watchlist/import", changed | {"apply": True})["done"] == 1
    assert "norad AND arctic" in {row.query for row in site.rows(WatchRow)}


def test_sources_are_stored_changed_and_paused(site: Any, editor: Api) -> None:
    editor("POST", "/sources", SOURCE, status=201)
    editor("POST", "/sources", SOURCE, status=409)
    assert "ISO 3166" in editor("POST", "/sources", SOURCE | {"slug": "x", "country": "Canada"}, status=400)["detail"]
    editor("PUT", "/sources/pm", {name: value for name, value in SOURCE.items() if name != "slug"} | {"note": "n"}, 204)
    for action, state in (("pause", "paused"), ("end", "ended"), ("resume", "active")):
        editor("POST", f"/sources/pm/{action}", status=204)
        assert site.rows(SourceRow)[0].state == state
    assert [one["condition"] for one in editor("GET", "/sources?q=prime")] == ["new"]
    assert editor("GET", "/sources/pm/visits") == {"rows": [], "following": None}


def test_feed_lists_go_out_and_come_in(site: Any, editor: Api) -> None:
    editor("POST", "/sources", SOURCE, status=201)
    text = editor("GET", "/sources.opml")
    assert 'xmlUrl="https://pm.example/feed"' in text
    more = text.replace("https://pm.example/feed", "https://new.example/feed")
    plan = editor("POST", "/sources/import", {"text": more, "country": "CA"})
    assert ([one["url"] for one in plan["fresh"]], plan["stored"]) == (["https://new.example/feed"], False)
    assert len(site.rows(SourceRow)) == 1
    assert editor("POST", "/sources/import", {"text": more, "country": "CA", "apply": True})["stored"]
    again = editor("POST", "/sources/import", {"text": more, "country": "CA", "apply": True})
    assert (again["fresh"], again["known"]) == ([], 1)
    assert {row.url for row in site.rows(SourceRow)} == {"https://pm.example/feed", "https://new.example/feed"}
    assert "OPML" in editor("POST", "/sources/import", {"text": "<a"}, 400)["detail"]
    assert "country" in editor("POST", "/sources/import", {"text": more, "country": "Canada"}, 400)["detail"]
    Api(site, Role.VIEWER)("POST", "/sources/import", {"text": more}, 403)


def test_selectors_are_tried_on_a_page(editor: Api, desk: Any) -> None:
    desk.may_fetch(loopback=False)
    refused = editor("POST", "/sources/selectors", {"url": "https://x.example", "selectors": {"item": "]"}}, 400)
    assert "selectors.item" in refused["detail"]
    assert "item" in editor("POST", "/sources/selectors", {"url": "https://x.example", "selectors": {}}, 400)["detail"]
    tried = editor("POST", "/sources/selectors", {"url": "http://127.0.0.1/", "selectors": {"item": "li"}})
    assert tried["entries"] == []
    assert tried["problem"]


def test_views_are_kept_by_whoever_holds_the_key(site: Any) -> None:
    reviewer, viewer = Api(site, Role.REVIEWER), Api(site, Role.VIEWER)
    reviewer("PUT", "/views/Open%20defence?topic=norad&verdict=open", status=204)
    reviewer("PUT", "/views/Open%20defence?topic=norad&verdict=judged", status=204)
    (view,) = reviewer("GET", "/views")
    assert (view["name"], view["query"]) == ("Open defence", "topic=norad&verdict=judged")
    assert reviewer("GET", f"/matches?{view['query']}") == {"rows": [], "following": None}
    assert viewer("GET", "/views") == []
    viewer("DELETE", f"/views/{view['id']}", status=404)
    reviewer("PUT", "/views/x?verdict=perhaps", status=400)
    reviewer("DELETE", f"/views/{view['id']}", status=204)
    assert reviewer("GET", "/views") == []


def test_the_audit_trail_tells_who_did_what(site: Any, editor: Api) -> None:
    operator = Api(site, Role.OPERATOR)
    editor("POST", "/sources", SOURCE, status=201)
    editor("POST", "/sources/pm/pause", status=204)
    first = operator("GET", "/events?noun=source&noun_id=pm&actor=editor@example.org&limit=1")
    (latest,) = first["rows"]
    assert (latest["action"], latest["noun"], latest["noun_id"]) == ("paused", "source", "pm")
    second = operator("GET", f"/events?noun=source&noun_id=pm&limit=1&cursor={first['following']}")
    assert [one["action"] for one in second["rows"]] == ["saved"]
    assert second["following"] is None
    assert operator("GET", "/events?actor=nobody@example.org")["rows"] == []
    editor("GET", "/events", status=403)


def test_nothing_inside_is_examined(site: Any, editor: Api, desk: Any) -> None:
    desk.may_fetch(loopback=False)
    for address in ("http://127.0.0.1/", "http://169.254.169.254/", "file:///etc/passwd", "http://[::1]/"):
        found = editor("POST", "/sources/examine", {"address": address})
        assert found["offers"] == []
        assert found["problem"]


def test_the_operator_searches_suppresses_and_resends(site: Any) -> None:
    operator = Api(site, Role.OPERATOR)
    one, two = site.subscribe("a@example.org"), site.subscribe("b@example.org")
    first = operator("GET", "/subscribers?limit=1")
    following = operator("GET", f"/subscribers?limit=1&cursor={first['following']}")
    assert [page["rows"][0]["id"] for page in (first, following)] == [one.id, two.id]
    operator("POST", f"/subscribers/{one.id}/suppress", {"reason": "asked"}, 204)
    operator("POST", f"/subscribers/{one.id}/suppress", {"reason": "asked"}, 409)
    assert operator("GET", f"/subscribers/{one.id}")["state"] == "suppressed"
    operator("POST", f"/subscribers/{one.id}/unsuppress", status=204)
    assert len(operator("GET", "/deliveries?days=7")) == 7
    assert operator("GET", "/deliveries/digest")["rows"] == []
    operator("POST", "/deliveries/digest/99/resend", status=409)
    for action in ("pause", "resume"):
        operator("POST", f"/sending/{action}", status=204)


def test_the_operator_keeps_the_staff(site: Any) -> None:
    operator = Api(site, Role.OPERATOR)
    operator("POST", "/staff", {"address": "Ann@Example.org", "role": "reviewer", "language": "fr"}, 204)
    site.tick()
    (mail,) = site.mails("ann@example.org")
    assert "Connexion" in str(mail["Subject"])
    operator("POST", "/staff/role", {"address": "ann@example.org", "role": "editor"}, 204)
    assert {one["address"]: one["role"] for one in operator("GET", "/staff")} == {
        "ann@example.org": "editor", "operator@example.org": "operator",
    }  # fmt: skip
    editor = Api(site, Role.EDITOR)
    assert operator("POST", "/staff/sign-out", {"address": "editor@example.org"}) == {"ended": 1}
    editor("GET", "/sources", status=401)
    operator("POST", "/staff/remove", {"address": "ann@example.org"}, 204)
    operator("POST", "/staff/remove", {"address": "ann@example.org"}, 404)
    operator("POST", "/staff/role", {"address": "operator@example.org", "role": "viewer"}, 409)
    operator("POST", "/staff", {"address": "ann@example.org", "role": "king"}, 400)


def test_the_log_is_exported_as_it_is_filtered(site: Any, newsroom: Any) -> None:
    newsroom.publish("News of norad", "norad", country="CA")
    newsroom.publish("News from the south", "norad", country="US")
    viewer = Api(site, Role.VIEWER)
    lines = viewer("GET", "/matches/export?country=US").splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["News from the south"]
    assert "News of norad" in viewer("GET", "/matches/export?format=csv")
    assert "yesterday" in viewer("GET", "/matches/export?since=yesterday", status=400)["detail"]


def test_a_digest_is_read_without_the_links_of_its_reader(site: Any, newsroom: Any) -> None:
    newsroom.publish("News of norad", "norad")
    site.subscribe()
    site.wait(timedelta(days=8))
    site.tick("start_due_digests")
    operator = Api(site, Role.OPERATOR)
    (sent, *_) = operator("GET", "/deliveries/digest")["rows"]
    content = operator("GET", f"/deliveries/digest/{sent['id']}/content")
    assert "News of norad" in content["text"]
    assert "News of norad" in content["html"]
    assert "/unsubscribe/" not in content["html"]
    operator("GET", "/deliveries/digest/99/content", status=404)


def test_an_installation_of_one_process_has_a_schedule_and_no_queue(site: Any) -> None:
    site.tick()
    operator = Api(site, Role.OPERATOR)
    assert any(one["last"] for one in operator("GET", "/schedule"))
    assert (operator("GET", "/queue"), operator("GET", "/queue/dead")) == ([], [])
    operator("POST", "/queue/1/retry", status=404)


HOSTILE = ["\0", "a\0b", "\ud800", "'; DROP TABLE watch;--", "😀" * 10, "x" * 200_000]


def test_hostile_texts_are_refused_or_stored_as_they_are(site: Any, editor: Api) -> None:
    for text in HOSTILE:
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        body = json.dumps({"query": "norad", "note": text})
        for path in (f"{WATCH}/draft", "/topics/%00/watches/any/draft", "/topics/norad/watches/%27/draft"):
            answer = site.ask("PUT", f"/api/v1{path}", cookies=editor.cookies, headers=headers, content=body.encode())
            assert answer.status_code in {200, 400}, (path, text[:20], answer.status_code)
    assert [row.query for row in site.rows(WatchRow) if row.topic_id == "norad"] == ["norad"]
    for path in ("/sources?q=%00", "/sources?country=%00", "/sources/%00/visits", "/topics/%ED%A0%80/watches"):
        answer = site.ask("GET", f"/api/v1{path}", cookies=editor.cookies)
        assert answer.status_code in {200, 400, 404}, path


def test_roles_are_kept(site: Any) -> None:
    viewer, editor = Api(site, Role.VIEWER), Api(site, Role.EDITOR)
    viewer("GET", "/topics/norad/watches")
    viewer("PUT", f"{WATCH}/draft", {"query": "x"}, 403)
    viewer("POST", "/sources/pm/pause", status=403)
    editor("GET", "/subscribers", status=403)
    assert site.get("/api/v1/topics/norad/watches").status_code == 401
