"""Following the Roadmap as one of the public: by keyboard, without JavaScript, in English and French."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, SourceSpec, TopicMatch
from monitor.store.items import insert_entries, revise_items
from monitor.store.matches import Found, save_matches
from monitor.store.sources import save_source

HOSTILE = '<script>document.title="x"</script><img src=x onerror=alert(1)>{{7*7}}'
WORDS = {
    "en": ("pieces of news in seven days", "Search", "Nothing found.", "Subscribe"),
    "fr": ("nouvelles en sept jours", "Recherche", "Rien trouvé.", "S’abonner"),
}


@pytest.fixture
def followed(installed: Any) -> Any:
    """An installation with news on NORAD, of which one item was changed since and one means harm."""
    now = installed.clock()
    place = Evidence("en", 1, "NORAD", "summary", 4, 9)
    with installed.database.write() as session:
        spec = SourceSpec("agency", "https://agency.example/feed", "Agency", "CA", Language.EN)
        source = save_source(session, spec, actor="test", now=now)
        titles = ["A radar site for the North", HOSTILE, *(f"Release {number}" for number in range(42))]
        entries = [
            Entry(
                str(n),
                f"https://agency.example/{n}",
                title,
                f"The NORAD plan, part {n}.",
                published_at=now - timedelta(hours=n),
            )
            for n, title in enumerate(titles)
        ]
        insert_entries(session, source, "en", entries, now)
        for number in range(1, len(titles) + 1):
            found = [TopicMatch("norad", 0.9, worthy=True, evidence=(place,))]
            save_matches(session, [Found(number, 1, found)], watchlist_version="1", now=now)
        changed = Entry("0", "https://agency.example/0", "Two radar sites for the North", "The NORAD plan, revised.")
        revise_items(session, {1: changed}, now)
    return installed


@pytest.mark.timeout(300)  # as below
@pytest.mark.parametrize("language", WORDS)
def test_from_the_first_page_to_a_citation_by_keyboard(followed: Any, browse: Any, serving: Any, language: str) -> None:
    news, search, nothing, subscribe = WORDS[language]
    with serving(followed) as address:
        tab = browse(address, language=language)
        tab.go("/")
        assert news in tab.text()
        tab.check()
        tab.press("j")
        tab.press("o")
        tab.page.wait_for_url("**/items/*")
        tab.check()
        tab.tab_to("NORAD")
        tab.press("Enter")
        tab.page.wait_for_url("**/topics/norad")
        tab.check()
        tab.press("]")
        tab.page.wait_for_url("**/topics/norad?before=*")
        tab.tab_to(search)
        tab.press("Enter")
        tab.page.wait_for_url("**/search")
        tab.press("/")
        tab.page.keyboard.type("walrus")
        tab.press("Enter")
        tab.page.wait_for_url("**/search?q=walrus*")
        assert nothing in tab.text()
        tab.tab_to(subscribe)
        tab.press("Enter")
        tab.page.wait_for_url("**/subscribe")
        tab.check()


@pytest.mark.parametrize("language", WORDS)
def test_everything_works_without_javascript(followed: Any, browse: Any, serving: Any, language: str) -> None:
    with serving(followed) as address:
        tab = browse(address, language=language, javascript=False, width=390)
        tab.go("/")
        tab.page.fill("#find", "radar AND (site")
        tab.page.press("#find", "Enter")
        tab.page.wait_for_url("**/search?q=*")
        assert tab.page.inner_text(".pointed mark") == "("
        tab.page.fill("#q", "radar AND site")
        tab.page.press("#q", "Enter")
        tab.page.click("text=Two radar sites for the North")
        tab.page.wait_for_url("**/items/1")
        assert tab.page.inner_text("ins").strip() == "Two"
        with tab.page.expect_download() as download:
            tab.page.click("text=BibTeX")
        assert download.value.suggested_filename == "roadmap-monitor-1.bib"


@pytest.mark.timeout(300)  # axe-core takes its time with a page of forty releases
def test_pages_fit_a_phone_in_the_dark_whatever_they_hold(followed: Any, browse: Any, serving: Any) -> None:
    with serving(followed) as address:
        tab = browse(address, width=390, dark=True)
        for path in ("/", "/topics/five-eyes", "/pillars/security-defence", "/items/2", "/search?q=(&since=1026-01-01"):
            tab.go(path)
            tab.check()
            assert tab.page.title() != "x", f"the script in a headline ran at {path}"
