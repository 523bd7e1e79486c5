"""Letters: foreign text made safe, contrast that can be read, and every letter in every language."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.digests.content import Link, Sender
from monitor.letters import Letter, one_line, render_letter, web_address, wrapped
from monitor.shipped import shipped

SENDER = Sender("Roadmap Monitor", "150 Sample Street, Ottawa, Canada", "monitor@example.org")
CONFIRM: dict[str, Any] = {
    "topics": ["NORAD", "Five Eyes"],
    "schedule": "Once a week",
    "confirm_url": "https://monitor.example.org/c/token?a=1&b=2",
    "expires_at": datetime(2026, 11, 29, 12, tzinfo=UTC),
    "zone": "America/Toronto",
    "sender": SENDER,
}
NOTICE: dict[str, Any] = {
    "title": "Your address\r\nwas changed",
    "paragraphs": ["It is now <b>this</b> one.", "Write to us if it was not you."],
    "action": Link("Undo the change", "https://monitor.example.org/undo"),
    "reason": "You get this mail because somebody changed your address.",
    "sender": SENDER,
}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  two\r\n lines ", "two lines"),
        ("North\u2060 American\u200b Leaders", "North American Leaders"),
        ("e\u0301te\u0301", "été"),
        ("\u202eevil\u202c", "evil"),
        ("a\ud800b\0c\x85d\u2028e", "ab c d e"),
        ("Ottawa\u00a0: oui", "Ottawa\u00a0: oui"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("", ""),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("a short one", 20, "a short one"),
        ("a line that is cut at a word", 20, "a line that is cut…"),
        ("ends here, and goes on", 12, "ends here…"),
        ("x" * 30, 10, "x" * 9 + "…"),
    ],
)
def test_one_line_with_a_limit(text: str, limit: int, line: str) -> None:
    assert one_line(text, limit) == line


@given(st.text(max_size=300), st.integers(5, 100))
def test_a_limited_line_is_never_longer(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://www.canada.ca/en/news.html?a=1&b=2#c", True),
        ("http://example.org", True),
        ("HTTPS://example.org", False),
        ("javascript:alert(1)", False),
        ("//example.org", False),
        ("https://example.org/ x", False),
        ('https://example.org/"', False),
        ("https://example.org/\n", False),
        ("", False),
    ],
)
def test_only_plain_web_addresses_become_links(url: str, *, kept: bool) -> None:
    assert web_address(url) == (url if kept else "")


def test_wrapped_text_keeps_long_addresses_whole() -> None:
    address = "https://example.org/" + "a" * 100
    lines = wrapped(f"See {address} and {'word ' * 30}", indent=2).splitlines()
    assert any(address in line for line in lines)
    assert all(line.startswith("  ") for line in lines)
    assert all(len(line) <= 72 or address in line for line in lines)


@pytest.mark.parametrize("language", READER_LANGUAGES)
@pytest.mark.parametrize(("name", "values"), [("confirm", CONFIRM), ("notice", NOTICE)])
def test_letters_say_the_same_as_html_and_as_text(language: Language, name: str, values: dict[str, Any]) -> None:
    letter = render_letter(name, language, **values)
    page = BeautifulSoup(letter.html, "lxml")
    assert {a["href"] for a in page.find_all("a")} == set(re.findall(r"https://\S+", letter.text))
    assert letter.subject in " ".join(letter.text.split())
    assert page.h1 is not None
    assert page.h1.get_text() == letter.subject
    assert page.html is not None
    assert page.html["lang"] == language
    for words in (SENDER.organisation, SENDER.postal_address, SENDER.contact):
        assert words in page.get_text()
        assert words in letter.text


def test_what_is_put_into_a_letter_stays_text() -> None:
    letter = render_letter("notice", Language.EN, **NOTICE)
    assert letter.subject == "Your address was changed"
    assert "&lt;b&gt;this&lt;/b&gt;" in letter.html
    assert "<b>this</b>" in letter.text


def test_a_letter_without_a_value_that_it_names_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="confirm_url"):
        render_letter("confirm", Language.EN, **{name: CONFIRM[name] for name in CONFIRM if name != "confirm_url"})


def test_jinja_survives_the_inliner_inside_tables() -> None:
    """An HTML parser moves text out of a table; loops over rows must stay where they are."""
    letter: Letter = render_letter("notice", Language.EN, **NOTICE)
    paragraphs = BeautifulSoup(letter.html, "lxml").select("td.cell > p.body-text")
    assert [p.get_text() for p in paragraphs] == NOTICE["paragraphs"]


# --- contrast (WCAG 2.2, 1.4.3: 4.5 to 1) --------------------------------------------------------------------

TEXT_ON = {
    "sheet": "brand kicker title glance glance-count topic link headline-link byline sentence note why passing "
    "section line body-text",
    "page": "footer footer-link",
    "pillar-cell": "pillar",
    "mark": "mark",
    "button-cell": "button",
}


def colours(dark: bool) -> dict[str, dict[str, str]]:  # noqa: FBT001 (a parametrised flag)
    """The colours of each class, as the style sheets give them for one scheme."""
    sheet = shipped("templates", "email", "style.css").read_text(encoding="utf-8")
    if dark:
        head = shipped("templates", "email", "head.css").read_text(encoding="utf-8")
        sheet += head.partition("prefers-color-scheme: dark")[2]
    found: dict[str, dict[str, str]] = {}
    for selectors, rules in re.findall(r"([.\w, -]+)\{([^{}]*)\}", sheet):
        for name in re.findall(r"\.([\w-]+)", selectors):
            found.setdefault(name, {}).update(re.findall(r"(?<![\w-])((?:background-)?color): *(#\w{6})", rules))
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("ground", "text"), [(ground, text) for ground, texts in TEXT_ON.items() for text in texts.split()]
)
def test_text_can_be_read_on_its_ground(ground: str, text: str, *, dark: bool) -> None:
    scheme = colours(dark)
    darker, lighter = sorted([luminance(scheme[ground]["background-color"]), luminance(scheme[text]["color"])])
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
