"""Screenshots of the subscribers' pages, empty, filled and wrong, at desk and phone width, in English and French.

Run ``python tests/browser/screenshots_subscriptions.py``; the pictures go to ``screenshots/``. Needs a Chromium. It
also looks for errors in the console, text that is cut off, and contrast below WCAG AA.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from screenshots_web import FOLDER, LOW_CONTRAST, SCHEMES, WIDTHS, fresh, served
from sqlmodel import Session

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry
from monitor.core.schedule import Schedule
from monitor.store import items, sources
from monitor.store.signups import save_signup
from monitor.store.subscribers import find_subscriber
from monitor.subscriptions.address import request_address_change, waiting_change
from monitor.subscriptions.choices import Choice
from monitor.subscriptions.keywords import add_keyword
from monitor.subscriptions.links import Doors
from monitor.subscriptions.subscribe import subscribe
from monitor.tokens import Purpose

LANGUAGES = (Language.EN, Language.FR)
TITLES = {
    Language.EN: "Ministers open a hydrogen corridor between Alberta and Montana",
    Language.FR: "L’hydrogène vert au menu de la rencontre de Québec",
}


def prepare(app: App) -> dict[tuple[str, Language], str]:
    """Fill an installation; the paths of the pages by name and language."""
    now = app.clock()
    paths: dict[tuple[str, Language], str] = {}
    with app.database.write() as session:
        source = next(row for row in sources.list_sources(session) if row.language == "en")
        entries = [
            Entry(title, f"https://agency.example/{language}", title, f"{title}, says the agency.", language=language)
            for language, title in TITLES.items()
        ]
        items.insert_entries(session, source.id or 0, "en", entries, now - timedelta(days=2))
        for language in LANGUAGES:
            pages = {"signup": "/subscribe", "link": "/preferences", **_own_pages(app, session, language, now)}
            paths |= {(name, language): path for name, path in pages.items()}
    return paths


def _own_pages(app: App, session: Session, language: Language, now: datetime) -> dict[str, str]:
    doors = Doors("", app.key)
    choice = Choice(("security-defence", "methane", "trade"), language, Schedule(zone="America/Vancouver"))
    address = f"claire.lefebvre-{language}@example.org"
    subscribe(session, address, choice, consent={}, actor="screenshots", now=now)
    subscriber = find_subscriber(session, address)
    assert subscriber
    add_keyword(session, subscriber, "hydrogen AND (Alberta OR Québec)", Language.ANY, now=now)
    add_keyword(session, subscriber, '"passage frontalier"', Language.FR, now=now)
    request_address_change(session, subscriber, f"clefebvre-{language}@example.com", domain="localhost", now=now)
    change = waiting_change(session, subscriber, now)
    signup = save_signup(session, f"new-{language}@example.org", choice=choice.as_json(), consent={}, now=now)
    return {
        "preferences": doors.preferences(subscriber),
        "unsubscribe": doors.unsubscribe(subscriber),
        "delete": f"{doors.preferences(subscriber)}/delete",
        "address": doors.address_change(Purpose.OLD_ADDRESS, change.id or 0 if change else 0),
        "confirm": doors.confirm(signup),
    }


def wrong(page: Page) -> None:
    """Send the sign-up form with mistakes."""
    page.fill("#address", "claire.lefebvre")
    page.check("input[name=scope][value=some]")
    page.click("button[type=submit]")


def sent(page: Page) -> None:
    """Send the sign-up form as it should be."""
    page.fill("#address", "claire.lefebvre@example.org")
    page.click("button[type=submit]")


def choosing(page: Page) -> None:
    """Choose topics in the sign-up form."""
    page.check("input[name=scope][value=some]")
    page.check("input[value=norad]")
    page.check(".whole input >> nth=1")


def trying(page: Page) -> None:
    """Try a keyword in the preferences."""
    page.fill("#query", "hydrogen OR hydrogène")
    page.click("button[value=keyword-preview]")


def pausing(page: Page) -> None:
    """Pause the digests for a fortnight."""
    page.fill("#until", page.evaluate("new Date(Date.now() + 12096e5).toISOString().slice(0, 10)"))
    page.locator("form:has(#until) button").click()


def pressing(page: Page) -> None:
    """Press the one button of the page."""
    page.locator("main form button").click()


STATES: tuple[tuple[str, str, Callable[[Page], None] | None], ...] = (
    ("signup", "signup", None),
    ("signup-choosing", "signup", choosing),
    ("signup-wrong", "signup", wrong),
    ("signup-sent", "signup", sent),
    ("link", "link", None),
    ("confirm", "confirm", None),
    ("confirmed", "confirm", pressing),
    ("preferences", "preferences", None),
    ("preferences-trying", "preferences", trying),
    ("preferences-paused", "preferences", pausing),
    ("address", "address", None),
    ("unsubscribe", "unsubscribe", None),
    ("unsubscribed", "unsubscribe", pressing),
    ("delete", "delete", None),
)


def pictures(browser: Browser, url: str, paths: Mapping[tuple[str, Language], str]) -> list[str]:
    """Take the pictures; what is wrong with the pages."""
    problems: list[str] = []
    for (name, key, act), language in product(STATES, LANGUAGES):
        shown = f"{name}-{language}"
        page = browser.new_page(timezone_id="America/Halifax")
        page.on("console", partial(_note, problems, shown))
        page.goto(f"{url}{paths[key, language]}?lang={language}")
        if act:
            act(page)
        for width, scheme in product(WIDTHS, SCHEMES):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                problems.append(f"{shown}: wider than {width} pixels")
            problems += [f"{shown} {width} {scheme}: low contrast: {text}" for text in page.evaluate(LOW_CONTRAST)]
            page.screenshot(path=FOLDER / f"subscriptions-{shown}-{width}-{scheme}.png", full_page=True)
        page.close()
    return problems


def _note(problems: list[str], shown: str, message: ConsoleMessage) -> None:
    problems.append(f"{shown}: console: {message.text}")


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    FOLDER.mkdir(exist_ok=True)
    with ExitStack() as stack:
        app = stack.enter_context(fresh(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        paths = prepare(app)
        # Playwright's loop would be in the way of the tasks' own: the pages are there before it starts.
        url = stack.enter_context(served(app)).rstrip("/")
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        problems = pictures(browser, url, paths)
        browser.close()
    sys.stdout.write("\n".join([*problems, str(FOLDER), ""]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
