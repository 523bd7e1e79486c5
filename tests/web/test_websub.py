"""WebSub from the offer in a feed to a signed push, through the tasks, the pages and a hub on loopback."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.polling.fetch import Fetcher, FetchLimits
from monitor.polling.websub import is_reachable, is_signed
from monitor.store.sources import save_source
from monitor.store.tables import HubRow, ItemRow, PollRow, SourceRow

FEED = """<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>News</title>
<atom:link rel="hub" href="{base}/hub"/><atom:link rel="self" href="{base}/feed"/>
<item><guid>1</guid><title>The first</title></item></channel></rss>
"""
PUSHED = "<rss><channel><title>News</title><item><guid>2</guid><title>The second</title></item></channel></rss>"


@dataclass
class Hub:
    """A site with a feed, and the hub of it, which only notes what it is asked."""

    base: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 202

    def answer(self, asked: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if asked.command == "GET":
            found = asked.path == "/feed"
            return (200, {}, FEED.format(base=self.base).encode()) if found else (404, {}, b"")
        self.asked.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        return self.status, {"Location": "http://169.254.169.254/"}, b""


@pytest.fixture
def hub(site: Any, serve_http: Callable[..., str]) -> Hub:
    """A hub whose feed has been read once."""
    hub = Hub()
    hub.base = serve_http(hub.answer)
    with site.app.database.write() as session:
        spec = SourceSpec("news", f"{hub.base}/feed", "Agency", "CA", Language.EN)
        save_source(session, spec, actor="test", now=site.now)
    limits = FetchLimits(allow_loopback=True, host_gap_seconds=0)
    site.app = replace(site.app, make_fetcher=lambda: Fetcher(limits))
    site.tick("poll_due_sources")
    return hub


def row(site: Any, table: Any = HubRow) -> Any:
    with site.app.database.read() as session:
        return session.exec(select(table)).one()


def titles(site: Any) -> set[str]:
    with site.app.database.read() as session:
        return set(session.exec(select(ItemRow.title)).all())


def verify(site: Any, request: dict[str, str], **changes: str) -> Any:
    path = urlsplit(request["hub.callback"]).path
    asked = {"hub.mode": "subscribe", "hub.topic": request["hub.topic"], "hub.challenge": "say <this>"}
    return site.ask("GET", path, params=asked | {"hub.lease_seconds": "864000"} | changes)


def push(site: Any, request: dict[str, str], body: str = PUSHED, **headers: str) -> int:
    signature = hmac.new(request["hub.secret"].encode(), body.encode(), hashlib.sha256).hexdigest()
    given = {"X-Hub-Signature": f"sha256={signature}", "Content-Type": "application/rss+xml"} | headers
    return int(
        site.ask("POST", urlsplit(request["hub.callback"]).path, content=body.encode(), headers=given).status_code
    )


@pytest.fixture
def agreed(site: Any, hub: Hub) -> dict[str, str]:
    """The request with which a hub was won that now pushes."""
    site.tick("find_hubs_to_ask")
    (request,) = hub.asked
    assert verify(site, request).status_code == 200
    site.wait(timedelta(minutes=5))  # the host has rested since its feed was read
    return request


def test_a_hub_that_a_feed_names_is_asked_and_answered(site: Any, hub: Hub) -> None:
    site.tick("find_hubs_to_ask")
    (request,) = hub.asked
    assert request["hub.mode"] == "subscribe"
    assert request["hub.topic"] == f"{hub.base}/feed"
    assert request["hub.callback"].startswith(f"{site.app.settings.base_url}/websub/")
    assert row(site).state == "asked"

    answer = verify(site, request)
    assert (answer.status_code, answer.text) == (200, "say <this>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert row(site).state == "active"
    assert row(site).expires_at == site.now + timedelta(days=10)

    site.tick("find_hubs_to_ask")
    assert len(hub.asked) == 1
    site.wait(timedelta(days=9))
    site.tick("find_hubs_to_ask")
    assert len(hub.asked) == 2, "it is asked to go on before the end"


@pytest.mark.parametrize(
    "changes",
    [{"hub.topic": "https://else.example.org/"}, {"hub.mode": "unsubscribe"}, {"hub.challenge": ""}, {"hub.mode": ""}],
)
def test_what_was_not_asked_for_is_not_confirmed(site: Any, hub: Hub, changes: dict[str, str]) -> None:
    site.tick("find_hubs_to_ask")
    assert verify(site, hub.asked[0], **changes).status_code == 404
    assert row(site).state == "asked"


def test_a_hub_may_be_asked_only_once_it_is_offered(site: Any, hub: Hub) -> None:
    """Nothing was asked yet: a confirmation is not ours."""
    callback = f"{site.app.settings.base_url}/websub/{row(site).token}"
    assert verify(site, {"hub.callback": callback, "hub.topic": row(site).topic}).status_code == 404
    assert site.get("/websub/guessed").status_code == 404


def test_a_hub_that_refuses_is_left_alone_for_a_month(site: Any, hub: Hub) -> None:
    site.tick("find_hubs_to_ask")
    assert verify(site, hub.asked[0], **{"hub.mode": "denied", "hub.reason": "no strangers"}).status_code == 200
    assert (row(site).state, row(site).last_error) == ("refused", "no strangers")
    site.wait(timedelta(days=29))
    site.tick("find_hubs_to_ask")
    assert len(hub.asked) == 1


@pytest.mark.parametrize("status", [400, 404, 307, 500])
def test_a_hub_that_does_not_take_the_request_is_asked_again_a_day_later(site: Any, hub: Hub, status: int) -> None:
    """A redirect is not followed either: the secret is for this hub alone."""
    hub.status = status
    site.tick("find_hubs_to_ask")
    assert str(status) in row(site).last_error
    site.wait(timedelta(hours=23))
    site.tick("find_hubs_to_ask")
    assert len(hub.asked) == 1
    site.wait(timedelta(hours=2))
    site.tick("find_hubs_to_ask")
    assert len(hub.asked) == 2


def test_what_is_pushed_and_signed_is_taken_in(site: Any, agreed: dict[str, str]) -> None:
    before = row(site, SourceRow)
    assert push(site, agreed) == 204
    assert titles(site) == {"The first", "The second"}
    after = row(site, SourceRow)
    assert after.lease_until is None
    assert (after.next_poll_at, after.interval_seconds, after.body_hash) == (
        before.next_poll_at,
        before.interval_seconds,
        before.body_hash,
    )
    assert row(site).pushed_at == site.now
    with site.app.database.read() as session:
        assert [poll.outcome for poll in session.exec(select(PollRow))] == ["read", "pushed"]
    assert push(site, agreed) == 204
    assert titles(site) == {"The first", "The second"}


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "md5=" + "0" * 32, "sha256=é", "new=" + "0" * 64],
)
def test_what_is_not_signed_is_ignored(site: Any, agreed: dict[str, str], signature: str) -> None:
    path, given = urlsplit(agreed["hub.callback"]).path, {"X-Hub-Signature": signature.encode()}
    assert site.ask("POST", path, content=PUSHED.encode(), headers=given).status_code == 202
    assert titles(site) == {"The first"}


def test_a_push_while_the_host_is_visited_makes_the_source_due(site: Any, agreed: dict[str, str]) -> None:
    with site.app.database.write() as session:
        source = session.exec(select(SourceRow)).one()
        source.lease_until = site.now + timedelta(minutes=5)
        session.add(source)
    assert push(site, agreed) == 202
    assert row(site, SourceRow).next_poll_at == site.now


def test_what_is_no_feed_changes_nothing(site: Any, agreed: dict[str, str]) -> None:
    assert push(site, agreed, "<html><body>Technical difficulties</body></html>") == 204
    assert titles(site) == {"The first"}


def test_more_than_a_feed_may_hold_is_not_taken(site: Any, agreed: dict[str, str]) -> None:
    small = site.app.settings.model_copy(update={"poll_max_decoded_bytes": 1000})
    site.web.state.app = replace(site.app, settings=small)
    assert push(site, agreed, PUSHED + " " * 1000) == 413


def test_a_service_that_nobody_can_reach_asks_no_hub(site: Any, hub: Hub) -> None:
    site.app = replace(site.app, settings=site.app.settings.model_copy(update={"poll_allow_loopback": False}))
    site.tick("find_hubs_to_ask")
    assert hub.asked == []


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("https://monitor.example.org", True),
        ("https://monitor.example.org:8443/roadmap", True),
        ("http://127.0.0.1:8000", False),
        ("http://10.1.2.3", False),
        ("http://localhost:8000", False),
        ("http://monitor", False),
        ("http://[::1]:8000", False),
    ],
)
def test_hubs_can_reach_public_addresses_only(address: str, reachable: bool) -> None:  # noqa: FBT001 - a column
    assert is_reachable(address) is reachable


def test_a_signature_is_of_the_whole_body() -> None:
    right = "sha1=" + hmac.new(b"secret", b"body", hashlib.sha1).hexdigest()
    assert is_signed(b"body", right, "secret")
    assert not is_signed(b"body ", right, "secret")
    assert not is_signed(b"body", right, "another")
