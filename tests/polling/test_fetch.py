"""What a visit ends in, fault by fault; the numbers are the rows of the table of faults in docs/polling.md."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import event_loop
from monitor.polling.fetch import Failed, FailureKind, Fetched, FetchLimits, NotModified

OK = b"HTTP/1.1 200 OK\r\n"
FEED = {"body": b"<rss/>", "Content-Type": "application/rss+xml"}
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)

FAILURES = {
    "3 reset in mid-body": ([OK + b"Content-Length: 100\r\n\r\n<rss>", 0.02, "reset"], FailureKind.RESET),
    "3 closed in mid-body": ([OK + b"Content-Length: 100\r\n\r\n<rss>", "close"], FailureKind.RESET),
    "3 reset before the answer": (["reset"], FailureKind.RESET),
    "3 closed before the answer": (["close"], FailureKind.RESET),
    "3 closed within the headers": ([OK + b"Content-Le", "close"], FailureKind.RESET),
    "3 chunks cut short": ([OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "close"], FailureKind.RESET),
    "4 silence": (["hang"], FailureKind.TIMEOUT),
    "4 body byte by byte": ([OK + b"Content-Length: 99\r\n\r\n", *[b"x", 0.05] * 20], FailureKind.TIMEOUT),
    "4 headers byte by byte": ([OK + b"X: ", *[b"x", 0.05] * 20], FailureKind.TIMEOUT),
    "4 endless provisional answers": ([*[b"HTTP/1.1 103 Early\r\n\r\n", 0.05] * 20], FailureKind.TIMEOUT),
    "10 gone": ([{"status": 410}], FailureKind.GONE),
    "11 not found": ([{"status": 404}], FailureKind.NOT_FOUND),
    "12 too many requests": ([{"status": 429}], FailureKind.RATE_LIMITED),
    "12 unavailable": ([{"status": 503}], FailureKind.SERVER_ERROR),
    "13 accepted and empty": ([{"status": 202}], FailureKind.BLOCKED),
    "13 AWS challenge": ([{"status": 202, "X-Amzn-Waf-Action": "challenge", "body": b"js"}], FailureKind.BLOCKED),
    "13 Cloudflare challenge": ([{"status": 503, "CF-Mitigated": "challenge"}], FailureKind.BLOCKED),
    "13 firewall's mark on a 200": ([{"X-Sucuri-Block": "1", "body": b"no"}], FailureKind.BLOCKED),
    "15 forbidden": ([{"status": 403, "body": b"Access Denied"}], FailureKind.BLOCKED),
    "15 unauthorised": ([{"status": 401}], FailureKind.BLOCKED),
    "15 legal reasons": ([{"status": 451}], FailureKind.BLOCKED),
    "empty success": ([{"status": 200}], FailureKind.EMPTY),
    "no content": ([{"status": 204}], FailureKind.EMPTY),
    "server's fault": ([{"status": 500}], FailureKind.SERVER_ERROR),
    "request time-out": ([{"status": 408}], FailureKind.TIMEOUT),
    "bad request": ([{"status": 400}], FailureKind.BAD_STATUS),
    "a part that nobody asked for": ([{"status": 206, "body": b"x"}], FailureKind.BAD_STATUS),
    "304 that nobody asked for": ([{"status": 304}], FailureKind.BAD_STATUS),
    "choices": ([{"status": 300}], FailureKind.BAD_STATUS),
    "switching protocols": ([{"status": 101, "Upgrade": "x", "Connection": "upgrade"}], FailureKind.BAD_STATUS),
    "not HTTP": ([b"SSH-2.0-OpenSSH\r\n\r\n", "close"], FailureKind.BAD_HTTP),
    "bad chunk size": ([OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], FailureKind.BAD_HTTP),
    "endless header": ([OK + b"X: " + b"x" * 70_000, "close"], FailureKind.BAD_HTTP),
    "thousands of headers": ([OK + b"X: x\r\n" * 5000 + b"\r\n"], FailureKind.BAD_HTTP),
    "redirect without an address": ([{"status": 302}], FailureKind.BAD_REDIRECT),
    "redirect to a mailbox": ([{"status": 302, "Location": "mailto:a@b.c"}], FailureKind.BAD_REDIRECT),
    "redirect to a file": ([{"status": 302, "Location": "file:///etc/passwd"}], FailureKind.BAD_REDIRECT),
}


@pytest.mark.parametrize(("script", "kind"), FAILURES.values(), ids=FAILURES.keys())
def test_each_fault_has_its_name_and_brings_nothing(faults, fetch, script, kind):
    """The status is kept, the words are for a person, and what came in part is not shown."""
    outcome = fetch(faults.play("/feed", script), fetcher={"total_seconds": 2})
    assert isinstance(outcome, Failed)
    assert outcome.kind is kind
    assert len(outcome.detail) > 20
    assert "\n" not in outcome.detail
    assert outcome.duration_seconds < 10


def test_the_default_deadline_and_caps_are_those_promised():
    limits = FetchLimits()
    assert (limits.total_seconds, limits.max_redirects, limits.allow_loopback) == (60.0, 5, False)
    assert (limits.max_raw_bytes, limits.max_decoded_bytes) == (10_000_000, 20_000_000)
    assert limits.user_agent.startswith("RoadmapMonitor/")


async def no_such_name(host):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def silent_name_server(host):
    await asyncio.sleep(60)


@pytest.mark.parametrize("resolve", [no_such_name, silent_name_server], ids=["1 no such name", "1 DNS time-out"])
def test_a_name_that_leads_nowhere_is_a_dns_failure(fetch, resolve):
    outcome = fetch("http://ministry.test/feed", fetcher={"resolve": resolve, "lookup_seconds": 0.05})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.DNS


def test_1_dead_names_do_not_hold_up_the_others(faults, new_fetcher):
    """A hundred names whose servers are silent, and one healthy source beside them."""
    faults.play("/feed", [FEED])

    async def visits():
        over = asyncio.Event()

        async def resolve(host):
            if host.startswith("dead"):
                await over.wait()
                await no_such_name(host)
            return ["127.0.0.1"]

        async with new_fetcher(resolve=resolve, lookup_seconds=60) as fetcher:
            dead = [asyncio.create_task(fetcher.get(f"http://dead{number}.test/")) for number in range(100)]
            await asyncio.sleep(0)
            healthy = await fetcher.get(faults.url("/feed", "healthy.test"))
            dead_by_then = sum(task.done() for task in dead)
            over.set()
            return healthy, dead_by_then, [await task for task in dead]

    healthy, dead_by_then, dead = event_loop.run(visits())
    assert isinstance(healthy, Fetched)
    assert dead_by_then == 0
    assert {outcome.kind for outcome in dead} == {FailureKind.DNS}


def test_1_look_ups_that_block_leave_threads_for_the_others(faults, new_fetcher, monkeypatch):
    """The system's look-up cannot be cancelled: twenty that are stuck must not stop the next."""
    faults.play("/feed", [FEED])
    name_server_answers = threading.Event()

    def getaddrinfo(host, port, **how):
        if host.startswith("dead"):
            name_server_answers.wait(5)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def visits():
        async with new_fetcher(resolve=None, lookup_seconds=2) as fetcher:
            dead = [asyncio.create_task(fetcher.get(f"http://dead{number}.test/")) for number in range(20)]
            await asyncio.sleep(0.05)
            healthy = await fetcher.get(faults.url("/feed", "healthy.test"))
            return healthy, [await task for task in dead]

    healthy, dead = event_loop.run(visits())
    name_server_answers.set()
    assert isinstance(healthy, Fetched)
    assert {outcome.kind for outcome in dead} == {FailureKind.DNS}


def test_2_connection_refused(fetch):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        outcome = fetch(f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REFUSED


def test_4_the_deadline_spans_redirects(faults, fetch):
    """Three hops that are each within the time, but not together."""
    for number in range(3):
        faults.play(f"/{number}", [0.4, {"status": 302, "Location": f"/{number + 1}"}])
    outcome = fetch(faults.url("/0"), fetcher={"total_seconds": 1})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TIMEOUT
    assert len(faults.requests) > 1, "the time was up within the first hop"


REDIRECTS = {
    "6 moved permanently": ([301], True),
    "6 permanent redirect": ([308], True),
    "6 both": ([301, 308, 301], True),
    "7 found": ([302], False),
    "7 see other": ([303], False),
    "7 temporary redirect": ([307], False),
    "7 permanent, then not": ([301, 302], False),
    "7 not, then permanent": ([307, 308], False),
    "8 as many as are allowed": ([301] * 5, True),
}


@pytest.mark.parametrize(("statuses", "permanent"), REDIRECTS.values(), ids=REDIRECTS.keys())
def test_redirects_are_followed_and_only_wholly_permanent_ones_are_worth_keeping(faults, fetch, statuses, permanent):
    for number, status in enumerate(statuses):
        faults.play(f"/{number}", [{"status": status, "Location": f"/{number + 1}"}])
    final = faults.play(f"/{len(statuses)}", [FEED])
    outcome = fetch(faults.url("/0"))
    assert isinstance(outcome, Fetched)
    assert (outcome.url, outcome.final_url) == (faults.url("/0"), final)
    assert outcome.permanent_url == (final if permanent else None)


def test_6_an_address_without_a_redirect_is_no_new_address(faults, fetch):
    assert fetch(faults.play("/feed", [FEED])).permanent_url is None


def test_6_the_new_address_is_told_with_a_304_too(faults, fetch):
    faults.play("/old", [{"status": 301, "Location": "/new"}])
    outcome = fetch(faults.play("/new", [{"status": 304}]).replace("/new", "/old"), etag='"1"')
    assert isinstance(outcome, NotModified)
    assert outcome.permanent_url == faults.url("/new")


def test_8_a_loop_is_noticed_before_the_limit(faults, fetch):
    faults.play("/a", [{"status": 302, "Location": "/b"}])
    faults.play("/b", [{"status": 302, "Location": "/a#again"}])
    outcome = fetch(faults.url("/a"))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REDIRECT_LOOP
    assert len(faults.requests) == 2


def test_8_more_than_five_redirects(faults, fetch):
    for number in range(9):
        faults.play(f"/{number}", [{"status": 301, "Location": f"/{number + 1}"}])
    outcome = fetch(faults.url("/0"))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TOO_MANY_REDIRECTS
    assert len(faults.requests) == 6


def test_9_validators_are_sent_and_a_304_brings_no_body(faults, fetch):
    url = faults.play("/feed", [{"status": 304, "ETag": '"new"', "Cache-Control": "max-age=600"}])
    outcome = fetch(url, etag='W/"old"', last_modified="Fri, 01 Mar 2024 10:00:00 GMT")
    assert faults.requests[0].headers["if-none-match"] == 'W/"old"'
    assert faults.requests[0].headers["if-modified-since"] == "Fri, 01 Mar 2024 10:00:00 GMT"
    assert isinstance(outcome, NotModified)
    assert (outcome.etag, outcome.last_modified) == ('"new"', "Fri, 01 Mar 2024 10:00:00 GMT")
    assert outcome.fresh_for == timedelta(minutes=10)


def test_9_validators_are_given_as_sent_by_the_site(faults, fetch):
    outcome = fetch(faults.play("/feed", [FEED | {"ETag": 'W/"7"', "Last-Modified": "yesterday"}]))
    assert (outcome.etag, outcome.last_modified) == ('W/"7"', "yesterday")
    assert "if-none-match" not in faults.requests[0].headers


@pytest.mark.parametrize("etag", ["x" * 5000, "é", 'a"\r\nX-Evil: 1'], ids=["huge", "not ASCII", "line break"])
def test_validators_that_would_do_harm_are_neither_kept_nor_sent(faults, fetch, etag):
    kept = fetch(faults.play("/feed", [FEED | {"ETag": etag.partition("\r")[0] + "\x01"}])).etag
    fetch(faults.url("/feed"), etag=etag)
    assert kept is None
    assert not {"if-none-match", "x-evil"} & faults.requests[1].headers.keys()


RETRY_AFTER = {
    "seconds": ("120", timedelta(seconds=120)),
    "date": ("Fri, 01 Mar 2024 12:30:00 GMT", timedelta(minutes=30)),
    "huge": ("99999999999999999999", timedelta(hours=24)),
    "far date": ("Fri, 01 Mar 2124 12:30:00 GMT", timedelta(hours=24)),
    "negative": ("-5", None),
    "past date": ("Fri, 01 Mar 2014 12:30:00 GMT", timedelta(0)),
    "garbage": ("soon", None),
}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("value", "expected"), RETRY_AFTER.values(), ids=RETRY_AFTER.keys())
def test_12_retry_after_is_honoured_up_to_a_day(faults, fetch, status, value, expected):
    url = faults.play("/feed", [{"status": status, "Retry-After": value}])
    outcome = fetch(url, fetcher={"clock": lambda: NOW})
    assert isinstance(outcome, Failed)
    assert (outcome.status, outcome.retry_after) == (status, expected)


def test_15_a_refusal_is_never_evaded(faults, fetch):
    """One request, under our own name, and no second try as somebody else."""
    url = faults.play("/feed", [{"status": 403}])
    fetch(url, fetcher={"user_agent": "RoadmapMonitor/1.0 (+mailto:desk@example.org)"})
    assert [request.headers["user-agent"] for request in faults.requests] == [
        "RoadmapMonitor/1.0 (+mailto:desk@example.org)"
    ]


def test_33_a_stale_shared_cache_promises_nothing(faults, fetch):
    """The validator is what counts; no freshness and no date is made out of the cache's headers."""
    stale = {"Cache-Control": "max-age=300", "Age": "5231", "ETag": '"5"', "Date": "Fri, 01 Mar 2024 10:00:00 GMT"}
    outcome = fetch(faults.play("/feed", [FEED | stale]), fetcher={"clock": lambda: NOW})
    assert isinstance(outcome, Fetched)
    assert (outcome.fresh_for, outcome.etag, outcome.last_modified) == (timedelta(0), '"5"', None)


def test_links_are_absolute_and_content_type_is_as_sent(faults, fetch):
    link = '<https://hub.example/>; rel="hub", </feed?x=1>; rel=self'
    outcome = fetch(faults.play("/feed", [FEED | {"Link": link}]))
    assert [(found.url, found.rels) for found in outcome.links] == [
        ("https://hub.example/", ("hub",)),
        (faults.url("/feed?x=1"), ("self",)),
    ]
    assert outcome.content_type == "application/rss+xml"


def test_cookies_are_not_kept(faults, new_fetcher):
    faults.play("/feed", [FEED | {"Set-Cookie": "session=1; Path=/"}])

    async def twice():
        async with new_fetcher() as fetcher:
            # A name, because cookies of bare addresses are not kept by anyone.
            return [await fetcher.get(faults.url("/feed", "news.test")) for _ in range(2)]

    event_loop.run(twice())
    assert [request.headers.get("cookie") for request in faults.requests] == [None, None]


def test_one_connection_serves_a_host_and_stray_bytes_do_not_reach_the_next_visit(faults, new_fetcher):
    """Bytes that trail an answer are thrown away with their connection."""
    faults.play("/tidy", [FEED])
    faults.play("/untidy", [FEED, 0.01, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"])

    async def visits():
        async with new_fetcher(host_gap_seconds=0.05) as fetcher:
            paths = ["/tidy", "/tidy", "/untidy", "/tidy"]
            return [await fetcher.get(faults.url(path)) for path in paths]

    assert [outcome.body for outcome in event_loop.run(visits())] == [b"<rss/>"] * 4
    assert [request.connection for request in faults.requests] == [1, 1, 1, 2]


LINES = [b"HTTP/1.1 200 OK", b"HTTP/1.1 304 X", b"HTTP/1.1 302 X", b"Content-Length: 5", b"Location: //["]
LINES += [b"ETag: \xff", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Set-Cookie: \x00="]
LINES += [b"Link: <;", b"Retry-After: \xb2"]
ANSWERS = st.builds(
    lambda first, lines, body: b"\r\n".join([first, *lines, b"", body]),
    st.sampled_from(LINES[:3]) | st.binary(max_size=20),
    st.lists(st.sampled_from(LINES) | st.binary(max_size=20), max_size=6),
    st.binary(max_size=40) | st.just(b"5\r\nhello\r\n0\r\n\r\n"),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=ANSWERS, split=st.integers(0, 60))
def test_nothing_that_a_site_sends_raises(faults, fetch, answer, split):
    url = faults.play("/feed", [answer[:split], 0.0, answer[split:], "close"])
    outcome = fetch(url, etag='"1"', fetcher={"total_seconds": 0.5})
    assert isinstance(outcome, Fetched | NotModified | Failed)
