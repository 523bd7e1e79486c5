"""robots.txt: its rules, decided on values alone, and what comes of a file that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import event_loop
from monitor.polling.fetch import Failed, FailureKind, Fetched
from monitor.polling.robots import MOST_BYTES, Robots, parse_robots

PRODUCT = "RoadmapMonitor"
PAGE = {"body": b"<html>"}

VERDICTS = {
    "empty file": ("", "/a", True),
    "nothing forbidden": ("User-agent: *\nDisallow:", "/a", True),
    "all forbidden": ("User-agent: *\nDisallow: /", "/a", False),
    "robots.txt itself is always allowed": ("User-agent: *\nDisallow: /", "/robots.txt", True),
    "prefix": ("User-agent: *\nDisallow: /a", "/abc", False),
    "not a prefix": ("User-agent: *\nDisallow: /b", "/abc", True),
    "case of paths counts": ("User-agent: *\nDisallow: /A", "/abc", True),
    "longest rule wins": ("User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b/c", False),
    "longest rule wins, in any order": ("User-agent: *\nDisallow: /\nAllow: /news/", "/news/1", True),
    "allow wins a tie": ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
    "star": ("User-agent: *\nDisallow: /*/search", "/en/search?q=1", False),
    "star matches nothing too": ("User-agent: *\nDisallow: /a*b", "/ab", False),
    "two stars": ("User-agent: *\nDisallow: /*a*b", "/xxaxxb", False),
    "end": ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
    "not the end": ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", True),
    "end without star": ("User-agent: *\nDisallow: /a$", "/a", False),
    "end without star, longer": ("User-agent: *\nDisallow: /a$", "/ab", True),
    "end does not overlap": ("User-agent: *\nDisallow: /ab*b$", "/ab", True),
    "query": ("User-agent: *\nDisallow: /*?", "/a?b", False),
    "own group": (f"User-agent: {PRODUCT}\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
    "own group in other case, with version": ("User-agent: roadmapmonitor/2\nDisallow: /a", "/a", False),
    "own group without rules": (f"User-agent: *\nDisallow: /\nUser-agent: {PRODUCT}\n", "/a", True),
    "own groups are joined": (
        f"User-agent: {PRODUCT}\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: {PRODUCT}\nDisallow: /b",
        "/b",
        False,
    ),
    "several names for one group": (f"User-agent: x\nUser-agent: {PRODUCT}\nDisallow: /a", "/a", False),
    "somebody else's group": ("User-agent: GoogleBot\nDisallow: /", "/a", True),
    "a longer name is somebody else": (f"User-agent: {PRODUCT}Pro\nDisallow: /", "/a", True),
    "rules before any name": ("Disallow: /\nUser-agent: *\nDisallow: /b", "/a", True),
    "comments": ("# x\nUser-agent: * # all\nDisallow: /a # this", "/a", False),
    "other lines": ("User-agent: *\nSitemap: https://x/\nnonsense\nDisallow: /a", "/a", False),
    "old line ends": ("User-agent: *\rDisallow: /a\r\nAllow: /b", "/a", False),
    "byte order mark": ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
    "escapes of plain letters": ("User-agent: *\nDisallow: /%61b", "/ab", False),
    "escapes in either case": ("User-agent: *\nDisallow: /%c3%a9", "/%C3%A9", False),
    "unescaped letters": ("User-agent: *\nDisallow: /é", "/%C3%A9", False),
    "escaped slash is no slash": ("User-agent: *\nDisallow: /a%2Fb", "/a/b", True),
    "an HTML page": ("<!doctype html><p>User-agent: *</p><p>Disallow: /</p>", "/a", True),
}


@pytest.mark.parametrize(("text", "path", "allowed"), VERDICTS.values(), ids=VERDICTS.keys())
def test_rules(text, path, allowed):
    assert parse_robots(text.encode(), PRODUCT).allows(path) is allowed


DELAYS = [("10", 10.0), ("0.5", 0.5), ("-1", 0.0), ("nan", 0.0), ("1e9", 0.0), ("x", 0.0)]


@pytest.mark.parametrize(("value", "expected"), DELAYS)
def test_crawl_delay(value, expected):
    assert parse_robots(f"User-agent: *\nCrawl-delay: {value}".encode(), PRODUCT).crawl_delay == expected


def test_only_the_first_500_kib_count():
    text = b"User-agent: *\n" + b"#" * MOST_BYTES + b"\nDisallow: /"
    assert parse_robots(text, PRODUCT).allows("/a")


@given(
    st.binary(max_size=200)
    | st.text(alphabet="*$/ab%2", max_size=40).map(lambda path: f"User-agent: *\nDisallow: {path}".encode()),
    st.text(max_size=20),
)
def test_any_file_and_any_path_have_an_answer(body, path):
    assert parse_robots(body, PRODUCT).allows("/" + path) in {True, False}


@pytest.mark.timeout(5)
def test_a_hostile_file_takes_little_time():
    stars = b"Disallow: /" + b"*a" * 1000 + b"b$\n"
    rules = parse_robots(b"User-agent: *\n" * 5000 + stars * 200, PRODUCT)
    assert rules.allows("/" + "a" * 2000)


def read(new_fetcher, urls, *, clock=lambda: datetime(2024, 3, 1, tzinfo=UTC), **limits):
    async def visits():
        async with new_fetcher(user_agent=f"{PRODUCT}/1.0", **limits) as fetcher:
            robots = Robots(fetcher, clock=clock)
            return [await robots.get(url) for url in urls]

    return event_loop.run(visits())


def test_a_page_is_read_as_far_as_the_site_allows(faults, new_fetcher):
    faults.play("/robots.txt", [{"body": b"User-agent: *\nDisallow: /closed"}])
    urls = [faults.play("/open", [PAGE]), faults.play("/closed/1", [PAGE])]
    opened, closed = read(new_fetcher, urls)
    assert isinstance(opened, Fetched)
    assert isinstance(closed, Failed)
    assert closed.kind is FailureKind.BLOCKED
    assert "robots.txt" in closed.detail
    assert [request.target for request in faults.requests] == ["/robots.txt", "/open"]


FILES = {
    "no file": ([{"status": 404}], None),
    "gone": ([{"status": 410}], None),
    "forbidden": ([{"status": 403}], None),
    "empty": ([{"status": 200}], None),
    "endless redirects": ([{"status": 302, "Location": "/robots.txt"}], None),
    "server's fault": ([{"status": 500}], FailureKind.SERVER_ERROR),
    "too many requests": ([{"status": 429, "Retry-After": "60"}], FailureKind.RATE_LIMITED),
    "firewall": ([{"status": 202}], FailureKind.BLOCKED),
    "reset": (["reset"], FailureKind.RESET),
    "silence": (["hang"], FailureKind.TIMEOUT),
}


@pytest.mark.parametrize(("script", "kind"), FILES.values(), ids=FILES.keys())
def test_what_a_file_that_cannot_be_read_means(faults, new_fetcher, script, kind):
    """RFC 9309: where there is none, all is allowed; a site that cannot answer is left alone."""
    faults.play("/robots.txt", script)
    (outcome,) = read(new_fetcher, [faults.play("/page", [PAGE])], total_seconds=1)
    if kind is None:
        assert isinstance(outcome, Fetched)
    else:
        assert isinstance(outcome, Failed)
        assert outcome.kind is kind
        assert "/page" not in [request.target for request in faults.requests]


def test_the_file_is_read_once_a_day_and_survives_an_outage(faults, new_fetcher):
    """Kept for a day; while the site is out the old file holds, and the site is asked once an hour."""
    closing = {"body": b"User-agent: *\nDisallow: /page"}
    faults.play("/robots.txt", [closing], [{"status": 500}], [{"status": 200}])
    page = faults.play("/page", [PAGE])
    seen = []

    async def visits():
        async with new_fetcher() as fetcher:
            robots = Robots(fetcher, clock=lambda: now)
            for hours in [0, 23, 25, 25.5, 27]:
                now = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
                outcome = await robots.get(page)
                files = [request.target for request in faults.requests].count("/robots.txt")
                seen.append((hours, files, isinstance(outcome, Fetched)))

    event_loop.run(visits())
    assert seen == [(0, 1, False), (23, 1, False), (25, 2, False), (25.5, 2, False), (27, 3, True)]


def test_the_crawl_delay_is_kept(faults, new_fetcher):
    faults.play("/robots.txt", [{"body": b"User-agent: *\nCrawl-delay: 0.15"}])
    read(new_fetcher, [faults.play("/1", [PAGE]), faults.play("/2", [PAGE])])
    first, second, third = (request.at for request in faults.requests)
    assert second - first >= 0.15
    assert third - second >= 0.15


def test_a_bad_address_is_a_failure_here_too(new_fetcher):
    (outcome,) = read(new_fetcher, ["ftp://a.example/"])
    assert outcome.kind is FailureKind.BAD_URL
