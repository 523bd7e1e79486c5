"""The reviewer's journey with the keyboard alone, in English and French."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, SourceSpec, TopicMatch
from monitor.core.roles import Role
from monitor.store.items import find_known, insert_entries
from monitor.store.matches import Found, save_matches
from monitor.store.sources import save_source
from monitor.store.tables import VerdictRow

TOLD = {"en": ("Written down.", "1 verdicts taken back."), "fr": ("C’est noté.", "Verdicts annulés : 1.")}


def fill(app: App, count: int = 5) -> None:
    """Matches with NORAD, an hour apart, the newest first."""
    now = app.clock()
    with app.database.write() as session:
        spec = SourceSpec("bench", "https://agency.example/feed", "Agency", "CA", Language.EN)
        source_id = save_source(session, spec, actor="test", now=now)
        for n in range(count):
            at = now - timedelta(hours=n + 1)
            entry = Entry(f"k{n}", f"https://agency.example/{n}", f"Release {n}", summary="On NORAD.", published_at=at)
            insert_entries(session, source_id, "en", [entry], at)
            (known,) = find_known(session, source_id, keys=[f"k{n}"], latest=1)
            match = TopicMatch("norad", 0.9, worthy=True, evidence=(Evidence("any", 1, "norad", "summary", 3, 8),))
            save_matches(session, [Found(known.id, 1, [match])], watchlist_version="v", now=at)


@pytest.mark.parametrize("language", TOLD)
def test_a_reviewer_judges_with_single_keys(installed: Any, browse: Any, serving: Any, language: str) -> None:
    fill(installed)
    written, taken_back = TOLD[language]
    with serving(installed) as address:
        tab = browse(address, app=installed, role=Role.REVIEWER, language=language)
        tab.go("/matches")
        tab.page.wait_for_selector(".counts")
        tab.check()
        tab.press("j")
        assert "Release 0" in tab.focused()
        tab.press("r")
        tab.page.wait_for_selector("#match-1.relevant")
        assert written in tab.text()
        assert "Release 1" in tab.focused(), "the focus moves on"
        tab.press("x")
        tab.page.wait_for_selector("#match-2.noise")
        tab.press("s")
        tab.page.wait_for_selector("#match-3.starred")
        tab.press("u")
        tab.page.wait_for_selector("#match-3.open")
        assert taken_back in tab.text().replace("\u00a0", " ")
        tab.press("j" if "Release 2" in tab.focused() else "k", "n")
        tab.page.keyboard.type("look again")
        tab.press("Enter")
        tab.page.wait_for_selector(".note:has-text('look again')")
        tab.check()
        tab.press("Escape", "?")
        assert tab.page.is_visible("#keys")
        tab.check()
        tab.press("Escape")
        tab.page.select_option("#verdict", "noise")
        tab.page.wait_for_selector(".lines > .line:nth-child(2)", state="detached")
        assert tab.path == "/matches?verdict=noise"
        tab.go("/matches/statistics")
        tab.check()
    with installed.database.read() as session:
        assert len(session.exec(select(VerdictRow)).all()) == 3


@pytest.mark.parametrize("dark", [False, True])
def test_the_log_fits_a_phone(installed: Any, browse: Any, serving: Any, dark: bool) -> None:  # noqa: FBT001 - a parameter
    fill(installed)
    with serving(installed) as address:
        tab = browse(address, app=installed, role=Role.OPERATOR, width=390, dark=dark)
        for path in ("/matches", "/matches?text=nowhere", "/matches/statistics"):
            tab.go(path)
            tab.check()
