"""Links made safe, and the keys of entries."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.polling.keys import absolute_link, canonical_url, entry_key, is_plain

BASE = "https://base.example.org/news/feed.xml?x=1"


@pytest.mark.parametrize(
    ("link", "absolute"),
    [
        ("https://x.example.org/a", "https://x.example.org/a"),
        ("a.html", "https://base.example.org/news/a.html"),
        ("../a.html", "https://base.example.org/a.html"),
        ("/a b/é", "https://base.example.org/a%20b/%C3%A9"),
        ("//cdn.example.org/x", "https://cdn.example.org/x"),
        (" \n https://x.example.org/a \t", "https://x.example.org/a"),
        ("https://x.example.org/a?utm_source=rss&id=7&UTM_Medium=x#top", "https://x.example.org/a?id=7#top"),
        ("https://x.example.org/a?fbclid=1", "https://x.example.org/a"),
        ("https://x.example.org/a;jsessionid=0A1B?b=2", "https://x.example.org/a?b=2"),
        ("https://x.example.org/a#xtor=RSS-1", "https://x.example.org/a"),
        ("https://québec.example.org/été", "https://xn--qubec-csa.example.org/%C3%A9t%C3%A9"),
        ("http://[2001:db8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
        ("https://x.example.org/q.pl?265812-16739", "https://x.example.org/q.pl?265812-16739"),
    ],
)
def test_a_link_becomes_an_absolute_web_address(link: str, absolute: str) -> None:
    assert absolute_link(link, BASE) == absolute


NO_WEB_ADDRESSES = [
    *("", " ", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)"),
    *("data:text/html,x", "file:///etc/passwd", "ftp://x.example.org/", "mailto:a@example.org", "https:///path"),
    *("https://", "http://[bad", "https://x.example.org:99999/", "https://www.whitehouse.gov@evil.example/"),
    *(
        "https://x.example.org\\@evil.example/",
        "HTTP://\\",
        "https://\x80",
        "https://x|y.org/",
        "/\\evil.example/",
        f"https://x.example.org/{'a' * 3000}",
    ),
]


@pytest.mark.parametrize("link", NO_WEB_ADDRESSES)
def test_what_is_no_web_address_is_dropped(link: str) -> None:
    """FAULTS 29."""
    assert absolute_link(link, BASE) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://X.example.org/a?b=2&a=1", "https://x.example.org/a?a=1&b=2"),
        ("https://x.example.org/a?utm_source=rss", "https://x.example.org/a"),
        ("https://x.example.org/%7Ea", "https://x.example.org/~a"),
        ("https://x.example.org", "https://x.example.org/"),
    ],
)
def test_spellings_of_one_address_are_equal(one: str, other: str) -> None:
    assert canonical_url(one) == canonical_url(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://x.example.org/a#1", "https://x.example.org/a#2"),
        ("https://x.example.org/a?id=1", "https://x.example.org/a?id=2"),
        ("https://x.example.org/A", "https://x.example.org/a"),
    ],
)
def test_different_addresses_stay_different(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


def test_a_key_is_the_guid_else_the_address_else_the_content() -> None:
    """FAULTS 23."""
    assert entry_key(" urn:7\n", "https://x.example.org/", "d") == "urn:7"
    assert entry_key(" \u200b ", "http://x.example.org/a", "d") == "https://x.example.org/a"
    assert entry_key("", "", "d") == "content:d"


def test_a_long_key_is_hashed() -> None:
    one, other = entry_key("x" * 10_000, "", ""), entry_key("x" * 10_001, "", "")
    assert one.startswith("sha256:")
    assert one != other


@given(st.text(max_size=60) | st.text("htps:/.@[]?#&=aé\\ \n", max_size=40).map("https://".__add__))
@settings(max_examples=500)
def test_any_text_becomes_a_safe_address_or_none(link: str) -> None:
    address = absolute_link(link, BASE)
    if address:
        parts = urlsplit(address)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert parts.username is None
        assert address.isascii()
        assert address.isprintable()
        assert canonical_url(canonical_url(address)) == canonical_url(address)
        assert absolute_link(address, BASE) == address
    if is_plain(link):
        assert address == link
