"""A real server and the system's Chromium; what a page does wrong on the quiet fails its test."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from monitor.app import App
from monitor.clock import utc_now
from monitor.core.roles import Role
from monitor.runners.assemble import make_app
from monitor.settings import load_settings
from monitor.staff.people import add_staff
from monitor.staff.sign_in import Opened, sign_in
from monitor.store.tables import SignInRow

AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium; without one, tests in a browser are skipped, or fail in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        explain = pytest.fail if os.environ.get("CI") else pytest.skip
        explain("no Chromium on this machine: install the package chromium to run the tests in a browser")
    return str(found)


@pytest.fixture
def installed(started_folder: Path, tmp_path: Path) -> Iterator[App]:
    """An installation with the shipped topics and sources; a test fills it with what it needs."""
    shutil.copytree(started_folder, tmp_path / "data")
    app = make_app(load_settings({"MONITOR_DATA_DIR": str(tmp_path / "data"), "MONITOR_LOG_LEVEL": "error"}))
    yield app
    app.database.close()


@contextmanager
def served(app: App, pages_of: Callable[[App], FastAPI]) -> Iterator[str]:
    """The web pages of an installation on loopback; their address, without a slash at its end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        web = pages_of(replace(app, settings=app.settings.model_copy(update={"public_url": address})))
        server = uvicorn.Server(uvicorn.Config(web, log_config=None))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Tab:
    """A tab of the browser; ``page`` is Playwright's own."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of ours."""
        self.page.goto(f"{self.address}{path}")

    def press(self, *keys: str) -> None:
        """Press keys, one after another, and wait for what htmx fetches."""
        for key in keys:
            self.page.keyboard.press(key)
            self.settle()

    def settle(self) -> None:
        # Not wait_for_function: it evaluates text in the page, which the Content-Security-Policy forbids.
        self.page.wait_for_selector(".htmx-request, .htmx-swapping, .htmx-settling", state="detached")

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.address)

    def text(self) -> str:
        return self.page.inner_text("body")

    def focused(self) -> str:
        """The text of what has the focus."""
        return str(self.page.evaluate("document.activeElement.innerText || document.activeElement.value || ''"))

    def tab_to(self, text: str, *, most: int = 60) -> None:
        """Press Tab until the focused element has this text."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if text in self.focused():
                return
        raise AssertionError(f"nothing named {text!r} is reached by {most} tabs")

    def check(self) -> None:
        """Assert that axe-core finds nothing, and that the page is not wider than the window."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        told = [
            f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]
        assert told == [], f"{self.path}: " + "\n".join(told)
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{self.path} is too wide"


Browse = Callable[..., Tab]


@pytest.fixture
def playwright_(chromium: str) -> Iterator[Playwright]:
    """Playwright, for one test: its event loop would be in the way of the loops of other tests."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def browser(playwright_: Playwright, chromium: str) -> Iterator[Browser]:
    """The system's Chromium."""
    browser = playwright_.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    yield browser
    browser.close()


@pytest.fixture
def browse(browser: Browser) -> Iterator[Browse]:
    """Opens a tab: ``browse(address, app=…, role=…, language="fr", javascript=False, width=390, dark=True)``.

    At the end, whatever the consoles or the Content-Security-Policy complained about fails the test.
    """
    tabs: list[Tab] = []

    def open_tab(
        address: str,
        *,
        app: App | None = None,
        role: Role = Role.PUBLIC,
        language: str = "en",
        javascript: bool = True,
        width: int = 1280,
        dark: bool = False,
    ) -> Tab:
        context = browser.new_context(
            locale={"en": "en-CA", "fr": "fr-CA", "es": "es-MX"}[language],
            java_script_enabled=javascript,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        if app and role is not Role.PUBLIC:
            context.add_cookies([{"name": "session", "value": session_of(app, role), "url": address}])
        tab = Tab(context.new_page(), address)
        watch(tab)
        tabs.append(tab)
        return tab

    yield open_tab
    problems = [problem for tab in tabs for problem in tab.problems]
    assert problems == []


def watch(tab: Tab) -> None:
    """Write down what goes wrong in a tab."""

    def listen(message: Any) -> None:
        # A refused policy is told in the console, too; a page that answers 404 or 422 as it should is no fault.
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            tab.problems.append(f"{tab.path}: {message.text}")

    tab.page.on("console", listen)
    tab.page.on("pageerror", lambda error: tab.problems.append(f"{tab.path}: {error}"))


def session_of(app: App, role: Role) -> str:
    """The secret of a new session of ``ROLE@example.org``."""
    now, address = utc_now(), f"{role.word}@example.org"
    with app.database.write() as session:
        add_staff(session, address, role, actor="test", now=now)
        row = SignInRow(address=address, requested_at=now, expires_at=now + timedelta(minutes=1))
        opened = sign_in(session, row, address="", device="a browser", now=now)
    assert isinstance(opened, Opened)
    return opened.token


@pytest.fixture
def serving(pages_of: Callable[[App], FastAPI]) -> Callable[[App], AbstractContextManager[str]]:
    """Serves an installation: ``with serving(app) as address``."""
    return partial(served, pages_of=pages_of)
