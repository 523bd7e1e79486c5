"""The API for everybody: the same answers as the pages, cursors, and errors as problems."""

from __future__ import annotations

from typing import Any


def get(site: Any, path: str, status: int = 200) -> Any:
    answer = site.get(f"/api/v1{path}")
    assert answer.status_code == status, answer.text
    kind = "application/json" if status == 200 else "application/problem+json"
    assert answer.headers["content-type"].startswith(kind)
    return answer.json()


def test_topics_with_their_weeks_and_publishers(site: Any, newsroom: Any) -> None:
    newsroom.publish("One", "norad", days=1)
    newsroom.publish("Two", "norad", days=8, country="US")
    assert [(one["id"], one["topics"]) for one in get(site, "/pillars")] == [
        ("security", ["norad", "border"]),
        ("climate", ["methane"]),
    ]
    norad, *others = get(site, "/topics")
    assert norad["weeks"] == [0] * 24 + [1, 1]
    assert all(one["weeks"] == [0] * 26 for one in others)
    found = get(site, "/topics/norad")["publishers"]
    assert [(one["agency"], one["count"]) for one in found] == [("Agency CA", 1), ("Agency US", 1)]


def test_the_news_of_a_topic_page_by_page(site: Any, newsroom: Any) -> None:
    for number in range(7):
        newsroom.publish(f"Number {number}", "norad", days=1 + number // 3)
    seen, cursor = list[str](), ""
    while cursor is not None:
        page = get(site, f"/topics/norad/items?limit=3&cursor={cursor}")
        seen += [one["title"] for one in page["rows"]]
        cursor = page["following"]
    assert len(seen) == len(set(seen)) == 7


def test_an_item_and_its_story(site: Any, newsroom: Any) -> None:
    item = newsroom.publish("Nine projects", "norad")
    newsroom.revise(item, "Twelve projects")
    told = get(site, f"/items/{item}")
    assert [version["title"] for version in told["versions"]] == ["Nine projects", "Twelve projects"]
    assert told["archive_url"] == f"{site.app.settings.base_url}/items/{item}"
    assert told["matches"][0]["evidence"][0]["term"] == "norad"
    assert told["full_text"] is None
    newsroom.read_page(item, "All of it.", "of-the-page")
    read = {"read_at": "2026-11-24T12:00:00Z", "content_hash": "of-the-page"}
    assert get(site, f"/items/{item}")["full_text"] == read
    other = newsroom.publish("The same", "norad", country="US", days=0)
    newsroom.join(item, other)
    story = get(site, f"/items/{item}")["story"]
    assert [one["item"] for one in get(site, f"/stories/{story}")] == [item, other]


def test_the_search(site: Any, newsroom: Any) -> None:
    newsroom.publish("A radar", days=2)
    newsroom.publish("Two radars", "norad", days=1)
    rows = get(site, "/search?q=radar")["rows"]
    assert [(one["title"], one["terms"]) for one in rows] == [("Two radars", ["radar"]), ("A radar", ["radar"])]
    assert [one["title"] for one in get(site, "/search?q=radar&topic=norad&language=en")["rows"]] == ["Two radars"]
    assert get(site, "/search?q=radar&until=1999-01-01") == {"rows": [], "following": None}
    first = get(site, "/search?q=radar&limit=1")
    assert [one["title"] for one in get(site, f"/search?q=radar&cursor={first['following']}")["rows"]] == ["A radar"]


def test_errors_are_problems_that_name_what_is_wrong(site: Any) -> None:
    problem = get(site, "/search?q=norad+AND+(radar", 400)
    assert problem["position"] == 10
    assert problem["remedy"] == "Add a closing one."
    for path, field in (
        ("/search", "q"),
        ("/search?q=a&language=de", "language"),
        ("/search?q=a&since=yesterday", "since"),
        ("/search?q=a&until=9999-12-31", "until"),
        ("/topics/norad/items?limit=0", "limit"),
        ("/items/0", "item_id"),
    ):
        assert get(site, path, 400)["errors"][0]["field"] == field
    for path in (
        "/topics/nothing",
        "/topics/nothing/items",
        "/items/1",
        "/stories/1",
        "/search?q=a&topic=x",
        "/nothing",
    ):
        assert get(site, path, 404)["status"] == 404
    far = "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwxXQ"  # a time that no calendar holds in UTC
    assert "cursor" in get(site, f"/search?q=norad&cursor={far}", 400)["detail"]


def test_the_description_names_every_route_of_the_api(site: Any) -> None:
    described = get(site, "/openapi.json")
    assert {"/api/v1/topics", "/api/v1/items/{item_id}", "/api/v1/search"} <= set(described["paths"])
    assert all(path.startswith("/api/v1/") for path in described["paths"])


def test_the_description_names_the_role_that_each_route_asks_for(site: Any) -> None:
    paths = site.get("/api/v1/openapi.json").json()["paths"]
    assert paths["/api/v1/matches"]["get"]["x-role"] == "viewer"
    assert paths["/api/v1/verdicts"]["post"]["x-role"] == "reviewer"
    assert paths["/api/v1/events"]["get"]["security"] == [{"key": []}]
    assert "security" not in paths["/api/v1/topics"]["get"]
