"""Pictures of every page, from the sample newsroom of ``monitor demo``, and of the first page before there is news.

Run ``python tests/browser/screenshots.py [WORD …]``; the pictures go to ``screenshots/``. With words, only the pages
whose names hold one of them. It needs a Chromium. It also looks for what no picture shows: errors in the console,
text that is cut off, and whatever axe-core finds. ``screenshot_pages.py`` names the pages; a new one that it
does not name stops the run.
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
from dataclasses import replace
from pathlib import Path
from typing import Literal

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from screenshot_pages import Shown, pages_of

from monitor.app import App
from monitor.cli.demo import played
from monitor.cli.installation import installation
from monitor.polling.fetch import Fetcher
from monitor.settings import load_settings
from monitor.store.claims import claim_due_sources
from monitor.tasks import POLL_LEASE, pack_polls, run_intent
from monitor.web.app import create_web

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "screenshots"
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MAILS = {"digest"}
"""Documents that are mails: what is good practice for a page, such as landmarks, would be in the way in a webmail."""

# Each page is taken wide and narrow, light and dark, but not in all combinations with the languages.
LOOKS: dict[str, tuple[tuple[int, Literal["light", "dark"]], ...]] = {
    "en": ((1280, "light"), (390, "dark")),
    "fr": ((1280, "dark"), (390, "light")),
}
LOCALES = {"en": "en-CA", "fr": "fr-CA"}


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


TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Waits until what the last change asked for is drawn; a mail in its frame was pictured empty at times."""


def picture(browser: Browser, shown: Shown, address: str) -> list[str]:
    """Take the pictures of a page; what is wrong with it."""
    problems: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            problems.append(f"{shown.name}: console: {message.text}")

    context = browser.new_context(locale=LOCALES[shown.language], timezone_id="America/Halifax")
    if shown.cookie:
        context.add_cookies([{"name": "session", "value": shown.cookie, "url": address}])
    page = context.new_page()
    page.on("console", listen)
    page.goto(address + shown.path)
    if shown.act:
        shown.act(page)
    page.wait_for_load_state("networkidle")  # a mail in a frame comes after its page
    for width, scheme in LOOKS[shown.language]:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.evaluate(TWO_FRAMES)
        look = f"{shown.name}-{width}-{scheme}-{shown.language}"
        if page.evaluate("document.documentElement.scrollWidth") > width:
            problems.append(f"{look}: wider than {width} pixels")
        page.screenshot(path=FOLDER / f"{look}.png", full_page=True)
        problems += [
            f"{look}: {told}" for told in _violations(page, WCAG if shown.name in MAILS else [*WCAG, "best-practice"])
        ]
    context.close()
    return problems


def _violations(page: Page, rules: list[str]) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def pictures_for_docs(browser: Browser, address: str, cookie: str) -> None:
    """The top of the filled first page, and of the match log as an operator sees it."""
    for name, path, height in (("home", "/", 1120), ("matches", "/matches", 838)):
        context = browser.new_context(viewport={"width": 1280, "height": height}, locale="en-CA")
        context.add_cookies([{"name": "session", "value": cookie, "url": address + path}] if path != "/" else [])
        page = context.new_page()
        page.goto(address + path)
        page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")
        context.close()


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
            (Shown(name, "/", language), stack.enter_context(site(state))[1])
            for name, state in EMPTY.items()
            for language in LOOKS
            if _is_asked(name, words)
        ]
        app, address = stack.enter_context(site(played))
        filled = list(pages_of(app))
        shown += [(one, address) for one in filled if _is_asked(one.name, words)]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        problems = [problem for one, at in shown for problem in picture(browser, one, at)]
        if _is_asked("readme", words):
            pictures_for_docs(browser, address, filled[-1].cookie)
        browser.close()
    sys.stdout.write("\n".join([*problems, f"{len(shown)} pages: {FOLDER}", ""]))
    sys.exit(1 if problems else 0)


EMPTY = {"home-fresh": fresh, "home-unreachable": unreachable}


def _is_asked(name: str, words: list[str]) -> bool:
    return not words or any(word in name for word in words)


if __name__ == "__main__":
    main(sys.argv[1:])
