"""Row 54, addresses that must never be reached, and row 5, connections that are not what they say."""

from __future__ import annotations

import ssl

import pytest

from monitor import event_loop
from monitor.polling.fetch import Failed, FailureKind, Fetched, Fetcher, FetchLimits

FEED = {"body": b"<rss/>"}

DIRECT = {
    "loopback": "http://127.0.0.1/",
    "loopback, far end": "http://127.255.255.254/",
    "loopback v6": "http://[::1]/",
    "unspecified": "http://0.0.0.0/",
    "unspecified v6": "http://[::]/",
    "this network": "http://0.1.2.3/",
    "mapped v6": "http://[::ffff:127.0.0.1]/",
    "mapped v6 in hex": "http://[::ffff:a9fe:a9fe]/",
    "compatible v6": "http://[::127.0.0.1]/",
    "NAT64": "http://[64:ff9b::7f00:1]/",
    "local NAT64": "http://[64:ff9b:1::7f00:1]/",
    "6to4": "http://[2002:7f00:1::]/",
    "Teredo": "http://[2001:0:7f00:1::]/",
    "unique local": "http://[fd00:ec2::254]/",
    "link-local v6": "http://[fe80::1]/",
    "link-local v6 with a zone": "http://[fe80::1%25eth0]/",
    "site-local v6": "http://[fec0::1]/",
    "carrier-grade NAT": "http://100.100.100.200/",
    "cloud metadata": "http://169.254.169.254/latest/meta-data/",
    "private": "http://10.0.0.1/",
    "decimal": "http://2130706433/",
    "octal": "http://0177.0.0.1/",
    "hex": "http://0x7f000001/",
    "hex in parts": "http://0x7f.0.0.0x1/",
    "short": "http://127.1/",
    "trailing dot": "http://127.0.0.1./",
    "full-width digits": "http://１２７.０.０.１/",
    "circled digits": "http://①②⑦.⓪.⓪.①/",
    "ideographic full stop": "http://127。0。0。1/",
}

DISGUISED = {
    "backslash and at": "http://169.254.169.254\\@public.example/",
    "at and backslash": "http://public.example\\@169.254.169.254/",
    "user name": "http://public.example@127.0.0.1/",
    "user and password": "http://public.example:80@127.0.0.1/",
    "percent-encoded dot": "http://127%2e0.0.1/",
    "percent-encoded at": "http://public.example%40127.0.0.1/",
    "line break": "http://public.example\r\nHost: 127.0.0.1/",
    "tab": "http://127.0.\t0.1/",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:6379/_",
    "no scheme": "//127.0.0.1/",
    "mail server": "http://public.example:25/",
}


@pytest.mark.parametrize("url", DIRECT.values(), ids=DIRECT.keys())
def test_54_an_address_off_the_public_internet_is_refused(fetch, url):
    outcome = fetch(url, fetcher={"allow_loopback": False})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REFUSED_ADDRESS


@pytest.mark.parametrize("url", DISGUISED.values(), ids=DISGUISED.keys())
def test_54_an_address_that_parsers_could_read_in_two_ways_is_refused(fetch, url):
    outcome = fetch(url, fetcher={"allow_loopback": False})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.BAD_URL


NAMES = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "fd00::1"]


@pytest.mark.parametrize("address", NAMES)
def test_54_a_name_that_resolves_to_such_an_address_is_refused(faults, fetch, address):
    async def resolve(host):
        return [address]

    outcome = fetch(faults.url("/", "innocent.example"), fetcher={"allow_loopback": False, "resolve": resolve})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REFUSED_ADDRESS
    assert "innocent.example" in outcome.detail
    assert faults.connections == 0


def test_54_the_systems_own_names_for_this_machine_are_refused(faults):
    async def visit():
        async with Fetcher(FetchLimits()) as fetcher:
            return await fetcher.get(faults.url("/", "localhost"))

    outcome = event_loop.run(visit())
    assert outcome.kind is FailureKind.REFUSED_ADDRESS
    assert faults.connections == 0


def test_54_rebinding_the_address_that_is_checked_is_the_one_connected_to(faults, new_fetcher):
    """The name first leads to an allowed address, and to the metadata service at the next look-up."""
    faults.play("/feed", [FEED, "close"])
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def resolve(host):
        return answers.pop(0)

    async def visits():
        async with new_fetcher(resolve=resolve) as fetcher:
            return [await fetcher.get(faults.url("/feed", "rebinding.test")) for _ in range(2)]

    first, second = event_loop.run(visits())
    assert isinstance(first, Fetched)
    assert second.kind is FailureKind.REFUSED_ADDRESS


def test_54_rebinding_of_several_answers_only_allowed_ones_are_tried(faults, fetch):
    """One look-up may give both kinds; the forbidden one must not be the fallback."""
    faults.play("/feed", [FEED])

    async def resolve(host):
        return ["169.254.169.254", "127.0.0.1", "10.0.0.1"]

    outcome = fetch(faults.url("/feed", "both.test"), fetcher={"resolve": resolve})
    assert isinstance(outcome, Fetched)


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("http://169.254.169.254/latest/", FailureKind.REFUSED_ADDRESS),
        ("//10.0.0.1/", FailureKind.REFUSED_ADDRESS),
        ("http://[::ffff:10.0.0.1]/", FailureKind.REFUSED_ADDRESS),
        ("http://0xa9fea9fe/", FailureKind.REFUSED_ADDRESS),
        ("http://metadata.test/", FailureKind.REFUSED_ADDRESS),
        ("http://169.254.169.254\\@public.example/", FailureKind.BAD_REDIRECT),
        ("http://user@public.example/", FailureKind.BAD_REDIRECT),
        ("ftp://public.example/", FailureKind.BAD_REDIRECT),
    ],
)
def test_54_a_redirect_is_checked_like_a_first_address(faults, fetch, location, kind):
    async def resolve(host):
        return ["169.254.169.254" if host == "metadata.test" else "127.0.0.1"]

    url = faults.play("/feed", [{"status": 301, "Location": location}])
    outcome = fetch(url, fetcher={"resolve": resolve})
    assert isinstance(outcome, Failed)
    assert outcome.kind is kind
    assert len(faults.requests) == 1


def test_54_the_loopback_exception_is_for_loopback_only(fetch):
    for url in [
        "http://10.0.0.1:8000/",
        "http://169.254.169.254/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0:8000/",
    ]:
        assert fetch(url, fetcher={"allow_loopback": True}).kind is FailureKind.REFUSED_ADDRESS


def test_a_proxy_of_the_environment_is_not_used(faults, new_fetcher, monkeypatch):
    """It would connect on our behalf, past the check of the address."""
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]:
        monkeypatch.setenv(name, faults.url())
    monkeypatch.delenv("NO_PROXY", raising=False)

    async def visit():
        async with new_fetcher(allow_loopback=False, resolve=None) as fetcher:
            return await fetcher.get("http://nowhere.invalid/")

    assert event_loop.run(visit()).kind is FailureKind.DNS
    assert faults.connections == 0


def test_5_a_valid_certificate_is_accepted(secure_faults, authority, fetch):
    server = secure_faults(authority.serving("news.test"))
    server.play("/feed", [FEED])
    outcome = fetch(server.url("/feed", "news.test"), fetcher={"tls": authority.trusting()})
    assert isinstance(outcome, Fetched)


CERTIFICATES = {"expired": "has expired", "self-signed": "unable to get local issuer", "wrong host": "not valid for"}


@pytest.mark.parametrize(("fault", "words"), CERTIFICATES.items())
def test_5_a_bad_certificate_fails_and_nothing_is_sent(secure_faults, authority, stranger, fetch, *, fault, words):
    certificate = {
        "expired": lambda: authority.serving("news.test", expired=True),
        "self-signed": lambda: stranger.serving("news.test"),
        "wrong host": lambda: authority.serving("other.test"),
    }[fault]
    server = secure_faults(certificate())
    outcome = fetch(server.url("/feed", "news.test"), fetcher={"tls": authority.trusting()})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TLS
    assert words in outcome.detail
    assert server.requests == []


def test_5_https_is_never_given_up_for_http(faults, authority, fetch):
    outcome = fetch(f"https://news.test:{faults.port}/", fetcher={"tls": authority.trusting()})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TLS
    assert faults.requests == []


def test_5_without_other_instructions_the_systems_authorities_count(secure_faults, stranger, fetch):
    server = secure_faults(stranger.serving("news.test"))
    assert fetch(server.url("/feed", "news.test")).kind is FailureKind.TLS


def test_5_an_old_protocol_is_not_spoken(secure_faults, authority, fetch):
    old = authority.serving("news.test")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    server = secure_faults(old)
    outcome = fetch(server.url("/feed", "news.test"), fetcher={"tls": authority.trusting()})
    assert isinstance(outcome, Failed)
    assert outcome.kind in {FailureKind.TLS, FailureKind.RESET}


def test_6_a_step_down_from_https_is_followed_but_not_kept(secure_faults, faults, authority, fetch):
    server = secure_faults(authority.serving("news.test"))
    final = faults.play("/feed", [FEED])
    server.play("/feed", [{"status": 301, "Location": final}])
    outcome = fetch(server.url("/feed", "news.test"), fetcher={"tls": authority.trusting()})
    assert isinstance(outcome, Fetched)
    assert (outcome.final_url, outcome.permanent_url) == (final, None)


def test_54_the_socket_refuses_what_the_look_up_let_through(faults, fetch, monkeypatch):
    """The guards stand alone: a look-up that is not checked at all reaches nothing."""
    monkeypatch.setattr(
        "monitor.polling.connecting.allowed_addresses", lambda host, addresses, *, allow_loopback: addresses
    )
    outcome = fetch(faults.url("/", "innocent.example"), fetcher={"allow_loopback": False})
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REFUSED_ADDRESS
    assert faults.connections == 0
