"""The editor's and the operator's journeys, by keyboard alone, in English and French; every page of theirs checked."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceSpec
from monitor.core.roles import Role
from monitor.core.schedule import Schedule
from monitor.store.items import insert_entries
from monitor.store.sources import save_source
from monitor.store.subscribers import find_subscriber
from monitor.store.tables import DigestRow
from monitor.store.watchlist import find_watch
from monitor.subscriptions.subscribe import subscribe_confirmed

TITLES = (
    "NORAD modernization begins",
    "A new radar in the North",
    "Lake levels",
    "Radars and NORAD: a joint statement",
)
SPEC = SourceSpec("sample", "https://sample.example/feed", "Sample Office", "CA", Language.EN)


@pytest.fixture
def filled(installed: App) -> App:
    """An installation with some items, a subscriber and a digest."""
    now = installed.clock()
    with installed.database.write() as session:
        source = save_source(session, SPEC, actor="test", now=now)
        entries = [Entry(title, f"https://sample.example/{n}", title) for n, title in enumerate(TITLES)]
        insert_entries(session, source, "en", entries, now)
        subscriber = subscribe_confirmed(
            session,
            "reader@example.org",
            topics=[],
            language=Language.EN,
            schedule=Schedule(),
            consent={"how": "test"},
            actor="test",
            now=now,
        )
        session.add(
            DigestRow(
                subscriber_id=subscriber,
                state="sent",
                message_id="<1@x>",
                subject="News",
                window_start=now,
                window_end=now,
                built_at=now,
                next_attempt_at=now,
                sent_at=now,
            )
        )
    return installed


WORDS = {
    "en": ("Publish", "Version 2 is live", "What it finds", "Suppress", "Take the suppression back"),
    "fr": ("Publier", "La version 2 est en service", "Ce qu’elle trouve", "Bloquer", "Lever le blocage"),
}


@pytest.mark.parametrize("language", WORDS)
def test_an_editor_changes_a_watch_by_keyboard(filled: Any, browse: Any, serving: Any, language: str) -> None:
    publish, live, finds, *_ = WORDS[language]
    with serving(filled) as address:
        tab = browse(address, app=filled, role=Role.EDITOR, language=language)
        tab.go("/watchlist")
        tab.press("j", "o")
        tab.page.wait_for_url("**/watchlist/topics/*")
        tab.go("/watchlist/topics/norad")
        tab.press("j", "o")
        tab.page.wait_for_url("**/watches/*")
        assert finds in tab.text()
        tab.press("/")
        tab.press("Control+A")
        tab.page.keyboard.type('radar* AND "joint statement')
        tab.page.wait_for_selector("#preview .pointed")
        tab.check()
        tab.page.keyboard.type('"')
        tab.page.wait_for_selector("#preview mark:has-text('Radars')")
        assert tab.page.locator("#preview .lost").inner_text() != "−0", "what the live version finds would be lost"
        tab.check()
        tab.tab_to(publish)
        tab.press("Enter")
        tab.page.wait_for_selector(f"text={live}")
        tab.check()
    with filled.database.read() as session:
        row = find_watch(session, "norad", tab.path.split("?")[0].rpartition("/")[2])
        assert row is not None
        assert row.query == 'radar* AND "joint statement"'


@pytest.mark.parametrize("language", WORDS)
def test_an_operator_suppresses_an_address_by_keyboard(filled: Any, browse: Any, serving: Any, language: str) -> None:
    *_, suppress, take_back = WORDS[language]
    with serving(filled) as address:
        tab = browse(address, app=filled, role=Role.OPERATOR, language=language)
        tab.go("/subscribers")
        tab.press("/")
        tab.page.keyboard.type("READER")
        tab.press("Enter")
        tab.page.wait_for_url("**q=READER*")
        tab.press("j", "o")
        tab.page.wait_for_url("**/subscribers/1")
        tab.tab_to(suppress)
        tab.press("Enter", "Tab")
        tab.page.keyboard.type("asked by phone")
        tab.press("Enter")
        tab.page.wait_for_selector("text=asked by phone")
        tab.check()
        tab.tab_to(take_back)
        tab.press("Enter")
        tab.page.wait_for_selector(f"summary:has-text('{suppress}')")
    with filled.database.read() as session:
        found = find_subscriber(session, "reader@example.org")
        assert found is not None
        assert found.state == "active"


EDITORS = (
    "/watchlist", "/watchlist/new-topic", "/watchlist/import", "/watchlist/topics/norad", "/watchlist/topics/norad/new",
    "/watchlist/topics/norad/watches/en", "/sources", "/sources/add", "/sources/import", "/sources/sample/edit",
    "/sources/sample?since=0",
)  # fmt: skip
OPERATORS = (
    "/watchlist/topics/norad/suggestions", "/subscribers", "/subscribers?q=nobody", "/subscribers/1", "/deliveries",
    "/deliveries?kind=letter", "/deliveries/digest/1", "/outbox",
)  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("width", "dark", "language"), [(390, True, "fr"), (1280, False, "es")])
@pytest.mark.parametrize("pages", [EDITORS, OPERATORS], ids=["editors", "operators"])
def test_the_pages_of_the_desk_fit_the_screen_and_the_rules(
    filled: Any,
    browse: Any,
    serving: Any,
    pages: tuple[str, ...],
    width: int,
    dark: bool,  # noqa: FBT001 - a parameter
    language: str,
) -> None:
    with serving(filled) as address:
        tab = browse(address, app=filled, role=Role.OPERATOR, width=width, dark=dark, language=language)
        for path in pages:
            tab.go(path)
            tab.check()


def test_a_watch_is_edited_without_javascript(filled: Any, browse: Any, serving: Any) -> None:
    with serving(filled) as address:
        tab = browse(address, app=filled, role=Role.EDITOR, javascript=False)
        tab.go("/watchlist/topics/norad/watches/en")
        tab.page.fill("#query", "radar")
        tab.page.click("button[value=preview]")
        assert "A new radar in the North" in tab.text().replace("\n", " ")
        tab.page.click("button[value=publish]")
        assert "Version 2 is live" in tab.text()
