"""Webhooks: told once, signed, tried again, and never led to an address that may not be visited."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from sqlmodel import col, select

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry, Pillar, SourceSpec, Topic, Watch
from monitor.delivery import chat
from monitor.delivery.webhook import make_secret
from monitor.errors import Conflict, NotFound, Refused
from monitor.polling.fetch import Fetcher
from monitor.runners.assemble import fetch_limits
from monitor.settings import Settings
from monitor.store import config, items, sources
from monitor.store.channels import add_channel, remove_channel
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.store.tables import PushRow
from monitor.tasks import drain
from monitor.ticks import TICKS, run_tick

NAMES = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}


@dataclass
class Receiver:
    """Somebody's program: what it was sent, and what it answers."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver(serve_http: Callable[..., str]) -> Receiver:
    told = Receiver()

    def answer(asked: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        told.taken.append(({name.lower(): value for name, value in asked.headers.items()}, body))
        return told.answers.pop(0) if told.answers else 204, {"Location": "http://169.254.169.254/"}, b""

    told.url = f"{serve_http(answer)}/hook"
    return told


@dataclass
class Service:
    app: App
    now: datetime

    def tick(self, after: timedelta = timedelta(minutes=1)) -> None:
        self.now += after
        app = replace(self.app, clock=lambda: self.now)
        for name in ("recover_lost_work", "tell_channels"):
            tick = next(tick for tick in TICKS if tick.name == name)
            drain(app, run_tick(app, tick, self.now))

    def publish(self, *titles: str) -> None:
        entries = [Entry(title, f"https://news.example/{number}", title) for number, title in enumerate(titles)]
        with self.app.database.write() as session:
            items.insert_entries(session, 1, "en", entries, self.now)

    def add(self, url: str, *topics: str, name: str = "hook") -> str:
        secret = make_secret()
        with self.app.database.write() as session:
            add_channel(session, name, url, secret, topics, actor="test", now=self.now)
        return secret

    def log(self) -> list[PushRow]:
        with self.app.database.read() as session:
            return list(session.exec(select(PushRow).order_by(col(PushRow.id))))


@pytest.fixture
def service(database: Database, settings: Settings, now: datetime) -> Service:
    topics = tuple(
        Topic(name, "security", NAMES, (Watch(name, "any", Language.ANY, name),), threshold=0.0)
        for name in ("norad", "border")
    )
    spec = SourceSpec("news", "https://news.example/feed", "Agency", "CA", Language.EN)
    files = Config((Pillar("security", NAMES),), topics, (spec,))
    with database.write() as session:
        config.apply(session, config.plan(session, files), actor="test", now=now)
        assert len(sources.list_sources(session)) == 1

    def no_transport() -> Any:
        raise AssertionError("nothing is mailed here")

    app = App(settings, "key", database, no_transport, lambda: Fetcher(fetch_limits(settings)))
    return Service(app, now)


def test_news_is_told_once_and_signed(service: Service, receiver: Receiver) -> None:
    service.publish("NORAD before the channel")
    service.tick()
    secret = service.add(receiver.url, "norad")
    service.tick()
    service.publish("NORAD <script>alert(1)</script>", "A border")
    for _ in range(3):
        service.tick()
    ((headers, body),) = receiver.taken
    said = json.loads(body)
    assert said["type"] == "match.created"
    assert (said["data"]["topic"], said["data"]["agency"]) == ("norad", "Agency")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert [(row.state, row.attempts) for row in service.log()] == [("sent", 1)]


def test_what_fails_is_tried_again_under_the_same_id_and_given_up_after_three_days(
    service: Service, receiver: Receiver
) -> None:
    service.add(receiver.url)
    receiver.answers = [500, 429, 302]
    service.publish("NORAD")
    for _ in range(4):
        service.tick(timedelta(hours=1))
    assert [(row.state, row.attempts) for row in service.log()] == [("sent", 4)]
    assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 1
    receiver.answers = [500] * 100
    service.publish("NORAD", "NORAD again")
    for _ in range(20):
        service.tick(timedelta(hours=4))
    assert [row.state for row in service.log()] == ["sent", "failed"]


def test_a_program_that_says_no_is_not_asked_again(service: Service, receiver: Receiver) -> None:
    service.add(receiver.url)
    receiver.answers = [404]
    service.publish("NORAD")
    for _ in range(3):
        service.tick(timedelta(hours=1))
    assert [(row.state, row.last_error) for row in service.log()] == [("failed", "the program answered 404")]
    assert len(receiver.taken) == 1


def test_a_mistake_of_ours_holds_up_no_other_channel(service: Service, receiver: Receiver) -> None:
    with service.app.database.write() as session:
        add_channel(session, "broken", receiver.url, "whsec_A", (), actor="test", now=service.now)
    service.add(receiver.url)
    service.publish("NORAD")
    service.tick()
    assert len(receiver.taken) == 1
    assert [(row.state, row.attempts) for row in service.log()] == [("built", 1), ("sent", 1)]
    assert "not sent: " in service.log()[0].last_error


def test_an_address_that_may_not_be_visited_is_refused(service: Service) -> None:
    service.add("http://169.254.169.254/latest/meta-data")
    service.publish("NORAD")
    service.tick()
    (row,) = service.log()
    assert (row.state, row.attempts) == ("failed", 1)


def test_a_chat_is_told_once_through_apprise_and_tried_again(service: Service, receiver: Receiver) -> None:
    """``json://`` is Apprise's way of posting to a program: it stands for Slack, Teams, Matrix and the others."""
    service.add(f"json://{receiver.url.removeprefix('http://')}")
    receiver.answers = [500]
    service.publish("NORAD <!channel> @everyone", "A park")
    for _ in range(3):
        service.tick(timedelta(hours=1))
    assert [(row.state, row.attempts, row.last_error) for row in service.log()] == [("sent", 2, "")]
    assert len(receiver.taken) == 2
    said = json.loads(receiver.taken[-1][1])
    assert said["title"].replace("\u2060", "") == "NORAD <!channel> @everyone"
    assert "@everyone" not in said["title"]
    assert "<!channel>" not in said["title"]
    assert said["message"].endswith("Agency\nhttps://news.example/0")


def test_a_chat_needs_the_extra_and_a_service_that_exists(
    service: Service, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused, match="'nosuch' is no service") as refused:
        chat.check_service("nosuch://token-that-nobody-may-see")
    assert "token" not in str(refused.value)
    assert chat.check_service("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/") == "Slack"
    assert chat.masked("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/") == "slack://…"
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(Refused, match=r"install roadmap-monitor\[channels\]"):
        chat.check_service("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    service.add("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    service.publish("NORAD")
    service.tick()
    (row,) = service.log()
    assert (row.state, row.attempts) == ("built", 1)
    assert "roadmap-monitor[channels]" in row.last_error
    assert "A1BRTD4JD" not in row.last_error
    assert "A1BRTD4JD" not in "".join(capfd.readouterr())


def test_a_channel_is_added_once_and_forgotten_whole(service: Service, receiver: Receiver) -> None:
    service.add(receiver.url)
    with pytest.raises(Conflict, match="already"):
        service.add(receiver.url)
    with pytest.raises(Refused, match="'weather'"):
        service.add(receiver.url, "weather", name="other")
    service.publish("NORAD")
    service.tick()
    with service.app.database.write() as session:
        remove_channel(session, "hook", actor="test", now=service.now)
    assert service.log() == []
    with service.app.database.write() as session, pytest.raises(NotFound):
        remove_channel(session, "hook", actor="test", now=service.now)
