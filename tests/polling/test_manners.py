"""What headers ask for, decided on values alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.polling.manners import (
    LONGEST_WAIT,
    Link,
    freshness,
    linked,
    parse_links,
    printable,
    request_headers,
    retry_after,
)

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
HEADER = st.text(max_size=60) | st.sampled_from(["9" * 5000, "٣", "²", "Fri, 31 Dec 9999 23:59:59 -2359", "-1", "1e3"])

WAITS = [
    ("0", timedelta(0)),
    ("120", timedelta(minutes=2)),
    (" 120 ", timedelta(minutes=2)),
    ("86401", DAY),
    ("9" * 400, DAY),
    ("Fri, 01 Mar 2024 12:05:00 GMT", timedelta(minutes=5)),
    ("Fri, 01 Mar 2024 07:05:00 -0500", timedelta(minutes=5)),
    ("Friday, 01-Mar-24 12:05:00 GMT", timedelta(minutes=5)),
    ("Fri Mar  1 12:05:00 2024", timedelta(minutes=5)),
    ("Fri, 01 Mar 2024 11:00:00 GMT", timedelta(0)),
    ("Fri, 01 Mar 2030 12:00:00 GMT", DAY),
    ("-60", None),
    ("1.5", None),
    ("٣", None),
    ("soon", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("value", "expected"), WAITS)
def test_retry_after(value, expected):
    assert retry_after(value, NOW) == expected


FRESH = {
    "nothing said": ({}, None),
    "max-age": ({"cache_control": "public, max-age=600"}, timedelta(minutes=10)),
    "quoted and in capitals": ({"cache_control": 'MAX-AGE="600"'}, timedelta(minutes=10)),
    "less its age": ({"cache_control": "max-age=600", "age": "200"}, timedelta(seconds=400)),
    "stale shared cache": ({"cache_control": "max-age=300", "age": "5231"}, timedelta(0)),
    "no-store": ({"cache_control": "no-store, max-age=600"}, timedelta(0)),
    "no-cache": ({"cache_control": "no-cache"}, timedelta(0)),
    "for shared caches only": ({"cache_control": "s-maxage=600"}, None),
    "absurd": ({"cache_control": "max-age=31536000"}, DAY),
    "longer than any number": ({"cache_control": f"max-age={'9' * 5000}"}, DAY),
    "negative": ({"cache_control": "max-age=-1"}, None),
    "directive without sense": ({"cache_control": "max-age=soon"}, None),
    "first of two": ({"cache_control": "max-age=60, max-age=600"}, timedelta(seconds=60)),
    "a word within another": ({"cache_control": "x-max-age=60"}, None),
    "expires": ({"expires": "Fri, 01 Mar 2024 13:00:00 GMT"}, timedelta(hours=1)),
    "expires by the server's clock": (
        {"expires": "Fri, 01 Mar 2024 13:00:00 GMT", "date": "Fri, 01 Mar 2024 12:50:00 GMT"},
        timedelta(minutes=10),
    ),
    "expired": ({"expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, timedelta(0)),
    "expires 0": ({"expires": "0"}, timedelta(0)),
    "max-age wins": ({"cache_control": "max-age=60", "expires": "Fri, 01 Mar 2024 13:00:00 GMT"}, timedelta(minutes=1)),
}


@pytest.mark.parametrize(("headers", "expected"), FRESH.values(), ids=FRESH.keys())
def test_freshness(headers, expected):
    said = dict.fromkeys(["cache_control", "expires", "age", "date"]) | headers
    assert freshness(**said, now=NOW) == expected


@given(HEADER, HEADER, HEADER, HEADER)
def test_any_header_gives_a_span_within_bounds_or_none(first, second, third, fourth):
    for span in (retry_after(first, NOW), freshness(f"max-age={first}", second, third, fourth, NOW)):
        assert span is None or timedelta(0) <= span <= LONGEST_WAIT
    for span in (freshness(None, second, third, fourth, NOW), freshness(first, None, None, None, NOW)):
        assert span is None or timedelta(0) <= span <= LONGEST_WAIT


LINKS = {
    "one": (['<https://hub.example/>; rel="hub"'], [Link("https://hub.example/", ("hub",))]),
    "two in one header": (
        ['<https://hub.example/>; rel=hub, </feed>; rel="self"'],
        [Link("https://hub.example/", ("hub",)), Link("https://a.example/feed", ("self",))],
    ),
    "two headers": (
        ["<a>; rel=x", "<b>; rel=y"],
        [Link("https://a.example/a", ("x",)), Link("https://a.example/b", ("y",))],
    ),
    "several relations": (['<a>; rel="Alternate Hub"'], [Link("https://a.example/a", ("alternate", "hub"))]),
    "comma in the address": (["<a?x=1,2>; rel=self"], [Link("https://a.example/a?x=1,2", ("self",))]),
    "other parameters": (['<a>; title="a, b; c"; rel=self; type=x'], [Link("https://a.example/a", ("self",))]),
    "a relation within a title": (['<a>; title="; rel=hub"'], []),
    "without relation": (["<a>"], []),
    "bad address": (["<http://[>; rel=hub"], []),
    "garbage": (["<<<>>;;rel=,,"], []),
}


@pytest.mark.parametrize(("values", "expected"), LINKS.values(), ids=LINKS.keys())
def test_link_headers(values, expected):
    assert list(parse_links(values, "https://a.example/x")) == expected


def test_linked_finds_the_first_of_a_relation():
    links = [Link("https://a.example/1", ("self",)), Link("https://a.example/2", ("hub", "x"))]
    assert linked(links, "hub") == "https://a.example/2"
    assert linked(links, "next") is None


@given(st.lists(st.text(alphabet='<>;,="rel x\\/:[', max_size=80), max_size=3))
def test_any_link_header_is_read(values):
    for link in parse_links(values, "https://a.example/"):
        assert link.url


@pytest.mark.parametrize("hostile", ["<" * 30_000, "<a>" + "; a" * 10_000, "<a>" + " " * 30_000, '<a>; rel="' * 3000])
@pytest.mark.timeout(2)
def test_a_hostile_link_header_takes_no_time(hostile):
    parse_links([hostile], "https://a.example/")


def test_conditional_headers_carry_only_what_can_be_sent():
    assert request_headers("x", '"1"', "yesterday") == {
        "Accept": "x",
        "If-None-Match": '"1"',
        "If-Modified-Since": "yesterday",
    }
    assert request_headers("x", None, "a\r\nb") == {"Accept": "x"}


@pytest.mark.parametrize("value", [None, "", "é", "a\nb", "x" * 1025])
def test_what_cannot_be_stored_and_sent_back_is_dropped(value):
    assert printable(value) is None
