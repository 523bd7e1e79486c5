"""Pictures of every page, from the sample newsroom of ``monitor demo``, and of the first page before there is news.

Run ``python tests/browser/screenshots.py [WORD …]``; the pictures go to ``screenshots/``. With words, only the pages
whose names hold one of them. It needs a Chromium. It also looks for what no picture shows: errors in the console,
text that is cut off, and whatever axe-core finds. Pages of staff are found by themselves where their address needs no
number; the others are named in ``PAGES``.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, sync_playwright
from sqlmodel import col, select

from monitor.app import App
from monitor.cli.demo import played
from monitor.cli.installation import installation
from monitor.clock import utc_now
from monitor.core.roles import Role
from monitor.polling.fetch import Fetcher
from monitor.settings import load_settings
from monitor.staff.people import add_staff
from monitor.staff.sign_in import Opened, sign_in
from monitor.store.sources import claim_due_sources
from monitor.store.tables import ItemRow, MatchRow, SignInRow, SubscriberRow
from monitor.tasks import POLL_LEASE, pack_polls, run_intent
from monitor.web.access import declared_routes
from monitor.web.app import create_web

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "screenshots"
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Each page is taken wide and narrow, light and dark, but not in all combinations with the languages.
LOOKS: tuple[tuple[int, Literal["light", "dark"], str], ...] = (
    (1280, "light", "en"),
    (1280, "dark", "fr"),
    (390, "light", "fr"),
    (390, "dark", "en"),
)
LOCALES = {"en": "en-CA", "fr": "fr-CA"}

PAGES = {
    "home": "/",
    "topic": "/topics/norad",
    "topic-without-news": "/topics/five-eyes",
    "pillar": "/pillars/{pillar}",
    "item": "/items/{item}",
    "item-changed": "/items/{changed}",
    "search": "/search",
    "search-found": "/search?q=canada+NOT+santa&since=2020-01-01",
    "search-nothing": "/search?q=%22nothing+of+the+kind%22",
    "search-wrong": "/search?q=norad+AND+(arctic&topic=norad&until=1026-11-23",
    "subscribe": "/subscribe?topic=norad",
    "lost-link": "/preferences",
    "preferences": "{preferences}",
    "unsubscribe": "{unsubscribe}",
    "not-found": "/nowhere",
    "sign-in": "/sign-in",
}
"""Names of pages and their addresses."""

NO_PAGES = ("/api", "/static", "/healthz", "/readyz", "/metrics", "/openapi")


@dataclass(frozen=True)
class Shown:
    """A page to be taken; ``cookie`` is that of somebody of the staff."""

    name: str
    url: str
    cookie: str = ""


@contextmanager
def fresh(folder: Path) -> Iterator[App]:
    """An installation at its first start, before the first visit."""
    settings = load_settings({"MONITOR_DATA_DIR": str(folder), "MONITOR_LOG_LEVEL": "error"})
    with installation(settings) as app:
        yield app


@contextmanager
def unreachable(folder: Path) -> Iterator[App]:
    """An installation whose first round of visits found no network."""

    async def no_name_server(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with fresh(folder) as connected:
        app = replace(connected, make_fetcher=lambda: Fetcher(resolve=no_name_server))
        with app.database.write() as session:
            due = claim_due_sources(session, app.clock(), limit=1000, per_host=1000, lease=POLL_LEASE)
        for intent in pack_polls([ids[:1] for ids in due.values()]):
            run_intent(app, intent)
        yield app


@contextmanager
def served(app: App) -> Iterator[str]:
    """The web pages of an installation, as if its schedule ran; their address, without a slash at its end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        web = create_web(app)
        server = uvicorn.Server(uvicorn.Config(web, log_config=None))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def pages_of(app: App, address: str) -> list[Shown]:
    """All pages of the filled installation."""
    facts = _facts(app)
    public = [Shown(name, address + path.format(**facts)) for name, path in PAGES.items()]
    cookie = _operator(app)
    walked = [
        Shown(f"staff{route.path.replace('/', '-')}", address + route.path, cookie)
        for route in declared_routes(create_web(app))
        if route.method == "GET" and route.role and "{" not in route.path and not route.path.startswith(NO_PAGES)
    ]
    return public + walked


def _facts(app: App) -> dict[str, str]:
    with app.database.read() as session:
        matched = select(MatchRow.item_id).where(col(MatchRow.worthy))
        told = select(ItemRow.id).where(col(ItemRow.id).in_(matched), col(ItemRow.language) == "en")
        item = session.exec(told.order_by(col(ItemRow.story_id).is_(None), col(ItemRow.id)).limit(1)).one()
        changed = session.exec(select(ItemRow.id).where(ItemRow.revision > 1).limit(1)).one()
        subscriber = session.exec(select(SubscriberRow).limit(1)).one()
        doors = replace(app, settings=app.settings).doors
        paths = {"preferences": doors.preferences(subscriber), "unsubscribe": doors.unsubscribe(subscriber)}
    base = app.settings.base_url
    return {"pillar": "security-defence", "item": str(item), "changed": str(changed)} | {
        name: path.removeprefix(base) for name, path in paths.items()
    }


def _operator(app: App) -> str:
    now = utc_now()
    with app.database.write() as session:
        add_staff(session, "operator@example.org", Role.OPERATOR, actor="screenshots", now=now)
        row = SignInRow(address="operator@example.org", requested_at=now, expires_at=now + timedelta(minutes=1))
        opened = sign_in(session, row, address="", device="a browser", now=now)
    assert isinstance(opened, Opened), opened
    return opened.token


def picture(browser: Browser, shown: Shown) -> list[str]:
    """Take the pictures of a page; what is wrong with it."""
    problems: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            problems.append(f"{shown.name}: console: {message.text}")

    for width, scheme, language in LOOKS:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale=LOCALES[language]
        )
        if shown.cookie:
            context.add_cookies([{"name": "session", "value": shown.cookie, "url": shown.url}])
        page = context.new_page()
        page.on("console", listen)
        page.goto(shown.url)
        look = f"{shown.name}-{width}-{scheme}-{language}"
        if page.evaluate("document.documentElement.scrollWidth") > width:
            problems.append(f"{look}: wider than {width} pixels")
        page.screenshot(path=FOLDER / f"{look}.png", full_page=True)
        page.evaluate(AXE)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        problems += [f"{look}: {one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]
        context.close()
    return problems


def picture_for_readme(browser: Browser, url: str) -> None:
    """The top of the filled first page alone."""
    page = browser.new_page(viewport={"width": 1280, "height": 1120}, color_scheme="light", locale="en-CA")
    page.goto(url)
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    page.screenshot(path=ROOT / "docs" / "images" / "home.png")
    page.close()


@contextmanager
def site(state: Callable[[Path], AbstractContextManager[App]]) -> Iterator[tuple[App, str]]:
    """An installation in a state, with its address."""
    with tempfile.TemporaryDirectory() as folder, state(Path(folder)) as app, served(app) as url:
        yield app, url


def main(words: list[str]) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        # Playwright's loop would be in the way of the tasks' own: the installations are there before it starts.
        shown = [
            Shown(name, stack.enter_context(site(state))[1]) for name, state in EMPTY.items() if _is_asked(name, words)
        ]
        app, address = stack.enter_context(site(played))
        shown += [one for one in pages_of(app, address) if _is_asked(one.name, words)]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        problems = [problem for one in shown for problem in picture(browser, one)]
        if _is_asked("readme", words):
            picture_for_readme(browser, address)
        browser.close()
    sys.stdout.write("\n".join([*problems, f"{len(shown)} pages: {FOLDER}", ""]))
    sys.exit(1 if problems else 0)


EMPTY = {"home-fresh": fresh, "home-unreachable": unreachable}


def _is_asked(name: str, words: list[str]) -> bool:
    return not words or any(word in name for word in words)


if __name__ == "__main__":
    main(sys.argv[1:])
