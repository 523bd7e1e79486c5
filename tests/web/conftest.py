"""The subscribers' pages of a small installation whose clock stands still and whose mails are kept."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event, make_url, update
from sqlmodel import SQLModel, col, select

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, Pillar, SourceSpec, Topic, TopicMatch, Watch
from monitor.core.roles import Role
from monitor.core.schedule import Schedule
from monitor.delivery.outcome import Delivered, Outcome
from monitor.polling.fetch import Fetcher, FetchLimits
from monitor.settings import Settings
from monitor.staff.people import add_staff
from monitor.staff.sign_in import Opened, sign_in
from monitor.store import config
from monitor.store.articles import store_article
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.store.items import insert_entries, revise_items
from monitor.store.matches import Found, save_matches
from monitor.store.sources import save_source
from monitor.store.stories import join_items
from monitor.store.subscribers import find_subscriber
from monitor.store.tables import ItemRow, SignInRow, SubscriberRow
from monitor.subscriptions.links import Doors
from monitor.subscriptions.subscribe import subscribe_confirmed
from monitor.tasks import drain
from monitor.ticks import TICKS, run_tick


@dataclass
class Mailbox:
    """A transport that takes everything, unless it is told to answer otherwise."""

    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        if self.answers:
            return self.answers.pop(0)
        self.taken.append(message_from_bytes(message, policy=policy.default))
        return Delivered("taken")

    def close(self) -> None:
        """Nothing is held open."""


@dataclass
class Site:
    """An installation as its readers meet it: pages, mails, and time."""

    app: App
    mailbox: Mailbox
    now: datetime
    runner: asyncio.Runner
    web: FastAPI
    network: str = "192.0.2.7"

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a request just as it is given, from an address of the network."""
        if cookies := request.pop("cookies", {}):
            cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
            request["headers"] = request.get("headers", {}) | {"Cookie": cookie}
        transport = httpx.ASGITransport(self.web, client=(self.network, 50000))

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", trust_env=False) as client:
                return await client.request(method, path, **request)

        return self.runner.run(send())

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page as a browser does."""
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, data: dict[str, Any] | None = None) -> httpx.Response:
        """Send one of our own forms as a browser does."""
        return self.ask("POST", path, data=data or {}, headers={"Sec-Fetch-Site": "same-origin"})

    def wait(self, time: timedelta) -> None:
        self.now += time

    def tick(self, name: str = "deliver_letters") -> None:
        """Fire a tick of the schedule, a second on, and do all that follows: no tick fires twice at one time."""
        self.wait(timedelta(seconds=1))
        tick = next(tick for tick in TICKS if tick.name == name)
        drain(self.app, run_tick(self.app, tick, self.now))

    def mails(self, address: str) -> list[EmailMessage]:
        """The mails that an address has got, after those that wait have been sent."""
        self.tick()
        return [mail for mail in self.mailbox.taken if mail["To"] == address]

    def subscribe(self, address: str = "reader@example.org", **schedule: Any) -> SubscriberRow:
        """Make somebody a subscriber of everything, without the form."""
        with self.app.database.write() as session:
            subscribe_confirmed(
                session,
                address,
                topics=[],
                language=Language.EN,
                schedule=Schedule(**{"hour": 8, "zone": "America/Toronto", **schedule}),
                consent={"how": "test"},
                actor="test",
                now=self.now,
            )
        return self.subscriber(address)

    def subscriber(self, address: str = "reader@example.org") -> SubscriberRow:
        with self.app.database.read() as session:
            found = find_subscriber(session, address)
        assert found
        return found

    def add_staff(self, address: str, role: Role) -> None:
        with self.app.database.write() as session:
            add_staff(session, address, role, actor="test", now=self.now)

    def signed_in(self, role: Role) -> dict[str, str]:
        """The cookies of a new session of somebody with a role, ``ROLE@example.org``."""
        address = f"{role.word}@example.org"
        self.add_staff(address, role)
        with self.app.database.write() as session:
            row = SignInRow(address=address, requested_at=self.now, expires_at=self.now + timedelta(minutes=1))
            opened = sign_in(session, row, address="", device="a browser", now=self.now)
        assert isinstance(opened, Opened)
        return {"session": opened.token}

    def preferences(self, address: str = "reader@example.org") -> str:
        """The path of a subscriber's preferences."""
        return Doors("", self.app.key).preferences(self.subscriber(address))

    def statements_of(self, work: Callable[[], Any]) -> tuple[list[str], Any]:
        """The statements that some work makes, without their values, and what it answers."""
        made: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            made.append(re.sub(r"\s+", " ", statement))

        engine = self.app.database.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            answer = work()
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return made, answer

    def rows(self, table: type[SQLModel]) -> list[Any]:
        with self.app.database.read() as session:
            return list(session.exec(select(table)))


def link(mail: EmailMessage, page: str) -> str:
    """The path of the link to a page in a mail's plain text."""
    body = mail.get_body(("plain",))
    assert body
    found = re.search(rf"https?://[^/\s]+(/{page}/\S+)", body.get_content())
    assert found, body.get_content()
    return found[1]


@pytest.fixture(scope="session")
def copied_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(migrated_file, tmp_path_factory.mktemp("site")))
    _apply_topics(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def copied_template(
    create_database: Callable[..., AbstractContextManager[str]], migrated_template: str
) -> Iterator[str]:
    with create_database(migrated_template) as address:
        _apply_topics(address)
        yield make_url(address).database or ""


def _apply_topics(address: str) -> None:
    """Give a database the topics of all sites."""
    names = {"en": "Defence", "fr": "Défense", "es": "Defensa"}
    topics = (
        Topic("norad", "security", {"en": "NORAD", "fr": "NORAD (fr)", "es": "NORAD (es)"}, (_watch("norad"),), 0.0),
        Topic("border", "security", {"en": "Border", "fr": "Frontière", "es": "Frontera"}, (_watch("border"),), 0.0),
        Topic("methane", "climate", {"en": "Methane", "fr": "Méthane", "es": "Metano"}, (_watch("methane"),), 0.0),
    )
    climate = Pillar("climate", {"en": "Climate", "fr": "Climat", "es": "Clima"})
    files = Config((Pillar("security", names), climate), topics, ())
    database = Database(address)
    with database.write() as session:
        config.apply(session, config.plan(session, files), actor="test", now=datetime(2026, 11, 23, 12, tzinfo=UTC))
    database.close()


@pytest.fixture
def site(database: Database, settings: Settings, now: datetime, pages_of: Callable[[App], FastAPI]) -> Iterator[Site]:
    site: Site
    mailbox = Mailbox()

    def no_fetcher() -> Any:
        raise AssertionError("these tests do not poll")

    app = App(settings, "key", database, lambda: mailbox, no_fetcher)
    with asyncio.Runner() as runner:
        told = replace(app, clock=lambda: site.now)
        site = Site(told, mailbox, now, runner, pages_of(told))
        yield site


class Desk:
    """The pages as somebody of the staff meets them."""

    def __init__(self, site: Site, role: Role) -> None:
        self.site, self.cookies = site, site.signed_in(role)

    def get(self, path: str) -> Any:
        return self.site.ask("GET", path, cookies=self.cookies)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        headers = {"Sec-Fetch-Site": "same-origin"}
        return self.site.ask("POST", path, cookies=self.cookies, headers=headers, data=data or {}, **more)

    def may_fetch(self, *, loopback: bool) -> None:
        """Let the pages reach the network, or this machine as well."""
        limits = FetchLimits(allow_loopback=loopback, host_gap_seconds=0, total_seconds=5)
        told = replace(self.site.app, make_fetcher=lambda: Fetcher(limits))
        self.site.app = self.site.web.state.app = told


@pytest.fixture
def desk_of(site: Site) -> Callable[[Role], Desk]:
    """Makes the pages as a role meets them."""
    return lambda role: Desk(site, role)


@pytest.fixture
def desk(site: Site) -> Desk:
    """The pages as an editor meets them."""
    return Desk(site, Role.EDITOR)


def _watch(topic: str) -> Watch:
    return Watch(topic, "any", Language.ANY, topic)


@pytest.fixture
def link_in() -> Any:
    """Finds the link to a page in a mail."""
    return link


class Newsroom:
    """Fills a site with news."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.count = 0
        with site.app.database.write() as session:
            self.sources = {
                country: save_source(
                    session,
                    SourceSpec(
                        f"agency-{country}", f"https://{country}.example/feed", f"Agency {country}", country, tongue
                    ),
                    actor="test",
                    now=site.now,
                )
                for country, tongue in (("CA", Language.EN), ("US", Language.EN), ("FR", Language.FR))
            }

    def publish(
        self,
        title: str,
        *topics: str,
        days: float = 1,
        country: str = "CA",
        language: str = "en",
        body: str = "",
        url: str = "",
    ) -> int:
        """Publish an item some days ago that is news of these topics; its number."""
        self.count += 1
        key = str(self.count)
        at = self.site.now - timedelta(days=days)
        address = url or f"https://{country}.example/{key}"
        entry = Entry(key, address, title, f"About norad. {title}", body, published_at=at, content_hash=f"hash-{key}")
        with self.site.app.database.write() as session:
            insert_entries(session, self.sources[country], language, [entry], self.site.now)
            self.match(session, self.count, 1, *topics)
        return self.count

    def match(self, session: Any, item_id: int, revision: int, *topics: str) -> None:
        place = Evidence("any", 1, "norad", "summary", 6, 11)
        found = [TopicMatch(topic, 0.8, worthy=True, evidence=(place,)) for topic in topics]
        save_matches(session, [Found(item_id, revision, found)], watchlist_version="1", now=self.site.now)

    def revise(self, item_id: int, title: str, body: str = "") -> None:
        entry = Entry(str(item_id), "https://CA.example/1", title, "About norad.", body, content_hash="other")
        with self.site.app.database.write() as session:
            revise_items(session, {item_id: entry}, self.site.now)

    def read_page(self, item_id: int, text: str, content_hash: str) -> None:
        """Have an item's own page read, a day later."""
        self.site.wait(timedelta(days=1))
        with self.site.app.database.write() as session:
            store_article(
                session, item_id, text=text, canonical_url="", twins={}, content_hash=content_hash, now=self.site.now
            )

    def join(self, *items: int) -> None:
        with self.site.app.database.write() as session:
            join_items(session, list(items), self.site.now)

    def set(self, item_id: int, **values: Any) -> None:
        with self.site.app.database.write() as session:
            session.connection().execute(update(ItemRow).where(col(ItemRow.id) == item_id).values(values))


@pytest.fixture
def newsroom(site: Any) -> Newsroom:
    return Newsroom(site)
