"""Screenshots of the first page, filled, at a fresh start and without a network, at desk and phone width.

Run ``python tests/browser/screenshots_web.py``; the pictures go to ``screenshots/``. Needs a Chromium. It also looks
for what a picture does not show: errors in the console, text that is cut off, and contrast below WCAG AA.
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
from itertools import product
from pathlib import Path
from typing import Literal

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, sync_playwright

from monitor.app import App
from monitor.cli.demo import played
from monitor.cli.installation import installation
from monitor.clock import utc_now
from monitor.polling.fetch import Fetcher
from monitor.settings import load_settings
from monitor.store.sources import claim_due_sources
from monitor.tasks import POLL_LEASE, TICKS, pack_polls, run_intent
from monitor.web.app import create_web

FOLDER = Path(__file__).parents[2] / "screenshots"
WIDTHS = (1280, 390)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

# Each text's colour against the first background behind it that is not transparent; WCAG 2.2, 1.4.3.
LOW_CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own) continue;
    const style = getComputedStyle(element);
    const [one, two] = [light(parse(style.color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    const text = element.textContent.trim().slice(0, 40);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${element.tagName} ${text}`);
  }
  return found;
}"""


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


STATES = {"filled": played, "fresh": fresh, "unreachable": unreachable}


@contextmanager
def page_of(state: Callable[[Path], AbstractContextManager[App]]) -> Iterator[str]:
    """The address of the first page of an installation in a state."""
    with tempfile.TemporaryDirectory() as folder, state(Path(folder)) as app, served(app) as url:
        yield url


@contextmanager
def served(app: App) -> Iterator[str]:
    """The web pages of an installation, as if its schedule ran; their address."""
    now = utc_now()
    web = create_web(app, next_runs=lambda: {tick.name: now + tick.every for tick in TICKS})
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(web, log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


def picture(browser: Browser, name: str, url: str) -> list[str]:
    """Take the pictures of a page; what is wrong with it."""
    problems: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            problems.append(f"{name}: console: {message.text}")

    for width, scheme in product(WIDTHS, SCHEMES):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", listen)
        page.goto(url)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            problems.append(f"{name}: wider than {width} pixels")
        problems += [f"{name} {width} {scheme}: low contrast: {text}" for text in page.evaluate(LOW_CONTRAST)]
        page.screenshot(path=FOLDER / f"web-{name}-{width}-{scheme}.png", full_page=True)
        page.close()
    return problems


def picture_for_readme(browser: Browser, url: str) -> None:
    """The top of the filled page alone."""
    page = browser.new_page(viewport={"width": 1280, "height": 1330}, color_scheme="light")
    page.goto(url)
    page.screenshot(path=FOLDER / "home.png")
    page.close()


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    FOLDER.mkdir(exist_ok=True)
    problems: list[str] = []
    with ExitStack() as stack:
        # Playwright's loop would be in the way of the tasks' own: the pages are there before it starts.
        urls = {name: stack.enter_context(page_of(state)) for name, state in STATES.items()}
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, url in urls.items():
            problems += picture(browser, name, url)
        picture_for_readme(browser, urls["filled"])
        browser.close()
    sys.stdout.write("\n".join([*problems, str(FOLDER), ""]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
