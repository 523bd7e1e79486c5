"""Signing in and looking after one's account, by keyboard alone, in English and French."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.roles import Role
from monitor.staff.sign_in import first_operator_link

WORDS = {
    "en": ("Become the operator", "Staff: sign in", "Account", "Make a key"),
    "fr": ("Devenir l’exploitant", "Personnel : se connecter", "Compte", "Créer une clé"),
}


@pytest.mark.parametrize("language", WORDS)
def test_the_first_operator_comes_in_by_keyboard(installed: Any, browse: Any, serving: Any, language: str) -> None:
    become, staff_sign_in, account, make = WORDS[language]
    with installed.database.write() as session:
        path = first_operator_link(session, installed.key, "", operator="", now=installed.clock())
    with serving(installed) as address:
        tab = browse(address, language=language)
        tab.go("/")
        assert staff_sign_in in tab.text().replace("\u00a0", " ")
        tab.go(path)
        tab.check()
        tab.page.keyboard.press("Tab")
        while tab.page.evaluate("document.activeElement.id") != "address":
            tab.page.keyboard.press("Tab")
        tab.page.keyboard.type("boss@example.org")
        tab.tab_to(become)
        tab.press("Enter")
        tab.page.wait_for_url(f"{address}/")
        tab.tab_to(account)
        tab.press("Enter")
        tab.page.wait_for_url(f"{address}/account")
        tab.check()
        tab.press("?")
        assert tab.page.is_visible("#keys")
        tab.check()
        tab.press("Escape")
        while tab.page.evaluate("document.activeElement.id") != "name":
            tab.page.keyboard.press("Tab")
        tab.page.keyboard.type("a script")
        tab.tab_to(make)
        tab.press("Enter")
        tab.page.wait_for_selector("code:has-text('rmk_')")
        tab.check()


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_pages_fit_the_screen_and_the_rules(installed: Any, browse: Any, serving: Any, width: int, dark: bool) -> None:  # noqa: FBT001 - a parameter
    with serving(installed) as address:
        public = browse(address, width=width, dark=dark)
        for path in ("/sign-in", "/nowhere", "/sign-in/forged"):
            public.go(path)
            public.check()
        staff = browse(address, app=installed, role=Role.OPERATOR, width=width, dark=dark)
        for path in ("/account", "/staff"):
            staff.go(path)
            staff.check()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_operator_invites_and_withdraws_by_keyboard(
    installed: Any, browse: Any, serving: Any, language: str
) -> None:
    send, withdraw = {
        "en": ("Send the invitation", "Withdraw access"),
        "fr": ("Envoyer l’invitation", "Retirer l’accès"),
    }[language]
    with serving(installed) as address:
        tab = browse(address, app=installed, role=Role.OPERATOR, language=language)
        tab.go("/staff")
        tab.page.focus("#address")
        tab.page.keyboard.type("ann@example.org")
        tab.tab_to(send)
        tab.press("Enter")
        tab.page.wait_for_selector("[role=status] >> text=ann@example.org")
        tab.check()
        while tab.page.evaluate("document.activeElement.tagName") != "SUMMARY":
            tab.page.keyboard.press("Tab")
        assert withdraw in tab.focused()
        tab.press("Enter")
        tab.check()
        tab.page.keyboard.press("Tab")
        tab.press("Enter")
        tab.page.wait_for_selector("th:has-text('ann@example.org')", state="detached")
        tab.check()
