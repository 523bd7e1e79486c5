"""The match log over the web and the API: pages, parts, verdicts, undo, exports, and who may do what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, SourceSpec, TopicMatch
from monitor.core.roles import Role
from monitor.store.items import find_known, insert_entries
from monitor.store.matches import Found, save_matches
from monitor.store.sources import save_source

SAME = {"Sec-Fetch-Site": "same-origin"}
HTMX = SAME | {"HX-Request": "true"}


@pytest.fixture
def logged(site: Any) -> Any:
    """A site with three matches with NORAD, numbered 1 to 3."""
    with site.app.database.write() as session:
        spec = SourceSpec("agency", "https://agency.example/feed", "Agency", "CA", Language.EN)
        source_id = save_source(session, spec, actor="test", now=site.now)
        for n in range(3):
            entry = Entry(
                f"k{n}", f"https://agency.example/{n}", f"<b>{n}</b>", summary="On NORAD.", published_at=site.now
            )
            insert_entries(session, source_id, "en", [entry], site.now)
            (known,) = find_known(session, source_id, keys=[f"k{n}"], latest=1)
            match = TopicMatch("norad", 0.9, worthy=True, evidence=(Evidence("any", 1, "norad", "summary", 3, 8),))
            save_matches(session, [Found(known.id, 1, [match])], watchlist_version="v", now=site.now)
    site.cookies = site.signed_in(Role.REVIEWER)
    return site


def get(site: Any, path: str, **headers: str) -> Any:
    return site.ask("GET", path, cookies=site.cookies, headers=headers)


def post(site: Any, path: str, data: dict[str, Any], headers: dict[str, str] = SAME) -> Any:
    return site.ask("POST", path, cookies=site.cookies, headers=headers, data=data)


def words(site: Any) -> list[str]:
    found = site.ask("GET", "/api/v1/matches", cookies=site.cookies).json()["rows"]
    return [row["verdict"] for row in sorted(found, key=lambda row: row["id"])]


def test_verdicts_by_form_and_by_part(logged: Any) -> None:
    assert "&lt;b&gt;1&lt;/b&gt;" in get(logged, "/matches").text
    form = post(logged, "/matches/1/verdict", {"word": "noise"})
    assert form.headers["Location"] == "/matches"
    part = post(logged, "/matches/2/verdict", {"word": "relevant"}, HTMX)
    assert part.headers["HX-Trigger"] == "judged"
    assert re.findall(r'id="match-(\d+)"[^>]* hx-swap-oob="true"', part.text) == ["2"]
    many = post(logged, "/matches/verdicts", {"word": "starred", "ids": ["2", "3"]}, HTMX)
    assert "2 matches changed." in many.text
    assert words(logged) == ["noise", "starred", "starred"]
    undone = post(logged, "/matches/undo", {"shown": ["1", "2"]}, HTMX)
    assert re.findall(r'id="match-(\d+)"', undone.text) == ["2"], "only what is on the page takes its place"
    assert words(logged) == ["noise", "relevant", ""]
    assert "<dd>1</dd>" in get(logged, "/matches/counts?verdict=noise").text


def test_a_filter_is_pushed_mended_and_exported(logged: Any) -> None:
    part = get(logged, "/matches?topic=norad&country=&text=", **{"HX-Request": "true"})
    assert part.headers["HX-Push-Url"] == "/matches?topic=norad"
    wrong = get(logged, "/matches?topic=weather")
    assert (wrong.status_code, "Topic &#39;weather&#39;" in wrong.text) == (400, True)
    lines = get(logged, "/matches/export?format=csv&topic=norad").text.splitlines()
    assert len(lines) == 4
    assert get(logged, "/matches/export?format=csv&topic=weather").status_code == 400
    assert get(logged, "/matches/statistics").status_code == 200
    assert get(logged, "/matches?counted=1&verdict=open").status_code == 200


def test_a_view_is_saved_and_deleted(logged: Any) -> None:
    saved = post(logged, "/matches/views", {"name": "Mine", "topic": "norad"})
    assert saved.headers["Location"] == "/matches?topic=norad"
    page = get(logged, "/matches").text
    assert '<a href="/matches?topic=norad">Mine</a>' in page
    (path,) = re.findall(r'action="(/matches/views/\d+/delete)"', page)
    assert post(logged, path, {}).status_code == 303
    assert path not in get(logged, "/matches").text


def test_a_viewer_reads_and_does_not_judge(logged: Any) -> None:
    logged.cookies = logged.signed_in(Role.VIEWER)
    page = get(logged, "/matches").text
    assert 'class="judge"' not in page
    assert post(logged, "/matches/1/verdict", {"word": "noise"}).status_code == 403


def test_the_api_judges_and_tells_problems(logged: Any) -> None:
    def say(path: str, **body: Any) -> Any:
        return logged.ask("POST", f"/api/v1{path}", cookies=logged.cookies, headers=SAME, json=body)

    assert say("/verdicts", ids=[1, 2], word="noise", note="a namesake").json() == {"ids": [1, 2]}
    one = get(logged, "/api/v1/matches/1").json()
    assert (one["verdict"], one["note"], one["reviewer"]) == ("noise", "a namesake", "reviewer@example.org")
    assert get(logged, "/api/v1/matches/counts").json() == {"open": 1, "relevant": 0, "noise": 2, "starred": 0}
    assert say("/verdicts/undo").json() == {"ids": [1, 2]}
    assert say("/assignments", ids=[3], assignee="reviewer@example.org").json() == {"assigned": 1}
    assert get(logged, "/api/v1/statistics").status_code == 200
    for wrong in (say("/verdicts", ids=[], word="noise"), say("/verdicts", ids=[1], word="maybe"),
                  get(logged, "/api/v1/matches?cursor=x"), get(logged, "/api/v1/matches?limit=0")):  # fmt: skip
        assert (wrong.status_code, wrong.headers["Content-Type"]) == (400, "application/problem+json")
    assert get(logged, "/api/v1/matches/99").status_code == 404
    first = get(logged, "/api/v1/matches?limit=2").json()
    assert len(get(logged, f"/api/v1/matches?limit=2&cursor={first['following']}").json()["rows"]) == 1
