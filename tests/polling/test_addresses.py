"""Which addresses may be visited, decided on values alone."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from monitor.polling.addresses import (
    AddressRefusedError,
    allowed_addresses,
    check_url,
    guarded_socket,
    is_allowed,
    is_public,
)
from monitor.polling.outcomes import Failed, FailureKind

PUBLIC = ["1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "223.255.255.255"]
PUBLIC += ["2606:4700:4700::1111", "2a00:1450:4001:830::200e", "2001:4860:4860::8888", "2001:200::1"]

NOT_PUBLIC = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address):
    assert is_public(address)
    assert is_allowed(address, allow_loopback=False)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)
    assert not is_allowed(address, allow_loopback=False)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_nothing_is_public_that_python_calls_private(address: IPv4Address | IPv6Address):
    """Python's own tables differ between releases; ours are never the laxer ones."""
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(st.ip_addresses(v=4))
def test_no_wrapping_makes_an_address_public(address: IPv4Address):
    wrapped = int(address)
    for prefix, shift in [(0, 0), (0xFFFF << 32, 0), (0x64FF9B << 96, 0), (0x2002 << 112, 80), (0x20010000 << 96, 0)]:
        assert not is_public(IPv6Address(prefix | wrapped << shift))


def test_loopback_is_an_exception_of_its_own():
    assert is_allowed("127.0.0.9", allow_loopback=True)
    assert is_allowed("::1", allow_loopback=True)
    assert not any(
        is_allowed(address, allow_loopback=True) for address in ["::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1", "x"]
    )


def test_only_allowed_addresses_of_a_name_remain():
    assert allowed_addresses("a.test", ["10.0.0.1", "1.1.1.1"], allow_loopback=False) == ["1.1.1.1"]
    with pytest.raises(AddressRefusedError, match=r"a\.test"):
        allowed_addresses("a.test", ["10.0.0.1", "not an address"], allow_loopback=False)


def test_the_socket_is_guarded_whatever_the_name_said():
    """The last line: it sees the address that is about to be connected to, and nothing else."""
    for family, address in [(socket.AF_INET, ("127.0.0.1", 80)), (socket.AF_INET6, ("::ffff:10.0.0.1", 80, 0, 0))]:
        with pytest.raises(AddressRefusedError):
            guarded_socket((family, socket.SOCK_STREAM, 0, "", address), allow_loopback=False)
    guarded_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("1.1.1.1", 80)), allow_loopback=False).close()


GOOD_URLS = {
    "as it is": ("https://www.canada.ca/en/news.atom?x=1", "https://www.canada.ca/en/news.atom?x=1"),
    "capitals": ("HTTPS://WWW.Canada.CA/En", "https://www.canada.ca/En"),
    "trailing dot": ("https://www.canada.ca./", "https://www.canada.ca/"),
    "fragment": ("https://www.canada.ca/a#b", "https://www.canada.ca/a"),
    "international name": ("https://québec.example/é", "https://xn--qubec-csa.example/%C3%A9"),
    "sharp s": ("https://faß.example/", "https://xn--fa-hia.example/"),
    "default port": ("https://a.example:443/", "https://a.example/"),
    "high port": ("http://a.example:8000/", "http://a.example:8000/"),
    "public address": ("http://93.184.216.34/", "http://93.184.216.34/"),
    "public address v6": ("http://[2606:4700::1111]:8080/", "http://[2606:4700::1111]:8080/"),
    "space in the path": ("http://a.example/a b", "http://a.example/a%20b"),
    "at in the path": ("http://a.example/@user", "http://a.example/@user"),
    "name with digits": ("http://123.example/", "http://123.example/"),
    "empty user name": ("http://@a.example/", "http://a.example/"),
    "hyphens": ("http://-a-.example/", "http://-a-.example/"),
    "underscore": ("http://a_b.example/", "http://a_b.example/"),
}


@pytest.mark.parametrize(("url", "expected"), GOOD_URLS.values(), ids=GOOD_URLS.keys())
def test_good_addresses_are_brought_into_one_form(url, expected):
    assert check_url(url) == URL(expected, encoded=True)


BAD_URLS = """
|mailto:a@b.example|javascript:alert(1)|data:text/html,x|ftp://a.example/|http:|http://|http:///path|http://.|http://..
http://a..example/|http://a.example:0/|http://a.example:22/|http://a.example:99999/|http://a.example:x/
http://[::1/|http://]/|http://a b/|http://a.example%00/|http://ex%61mple.com/|http://*.example/|http://a,b/|/relative
http://user@a.example/|http://user:pw@a.example/|http://a.example\\b/|http://a.example/\udcff
""".replace("\n", "|").split("|")[1:-1]


@pytest.mark.parametrize("url", [*BAD_URLS, "http://a.example/" + "x" * 2048, f"http://{'a.' * 130}example/"])
def test_bad_addresses_are_refused_in_words(url):
    outcome = check_url(url)
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.BAD_URL
    assert outcome.detail


def test_relative_addresses_need_a_base():
    base = URL("https://a.example/news/feed.xml")
    assert check_url("../x?y=1", base=base) == URL("https://a.example/x?y=1")
    assert check_url("//b.example/", base=base) == URL("https://b.example/")
    assert isinstance(check_url("//10.0.0.1/", base=base), Failed)


@given(st.text(max_size=60) | st.text(max_size=40).map("http://{}".format))
@example("http://[v1.a]/")
@example("http://\u2488/")
@example("http://xn--/")
def test_any_text_is_read_or_refused(url):
    """What is read is a fixed point: reading it again changes nothing, so no second parser can disagree."""
    outcome = check_url(url)
    if not isinstance(outcome, Failed):
        assert outcome.scheme in {"http", "https"}
        assert check_url(str(outcome)) == outcome
