"""The catalogues are complete, and dates and plurals are right in all three languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from monitor import translations
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.schedule import Frequency, Schedule

ROOT = Path(__file__).parents[1]
TRANSLATED = [language for language in READER_LANGUAGES if language is not Language.EN]
HOW = "bring the catalogues up to date: see docs/digests.md, Translations"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


@cache
def extracted() -> frozenset[str | tuple[str, ...]]:
    """Every message that templates and code ask for."""
    with (translations.LOCALE_FOLDER / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel's front end has no types
    found = extract_from_dir(ROOT, methods, options)
    return frozenset(message for _, _, message, _, _ in found)


@cache
def catalogue(language: Language) -> Catalog:
    path = translations.LOCALE_FOLDER / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def messages(language: Language) -> Iterator[Message]:
    return (message for message in catalogue(language) if message.id)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated(language: Language) -> None:
    translated = {message.id for message in messages(language) if all(strings(message)) and not message.fuzzy}
    assert extracted() - translated == set(), HOW
    assert translated - extracted() == set(), f"nobody asks for these any more; {HOW}"


def test_the_template_holds_what_is_extracted() -> None:
    with (translations.LOCALE_FOLDER / "messages.pot").open("rb") as file:
        assert {message.id for message in read_po(file) if message.id} == extracted(), HOW


def strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_fit_their_messages(language: Language) -> None:
    """The same placeholders, as many forms as the language has, the same spaces at the ends."""
    for message in messages(language):
        wanted = set(PLACEHOLDER.findall("".join(ids(message))))
        *fewer, last = [set(PLACEHOLDER.findall(string)) for string in strings(message)]
        assert last == wanted, message.id
        assert all(found <= wanted for found in fewer), "one thing may be told without its number"
        for string in strings(message):
            assert string == string.strip(), message.id
        assert len(strings(message)) == (catalogue(language).num_plurals if message.pluralizable else 1), message.id


def test_french_is_set_as_in_canada() -> None:
    """A no-break space before a colon and inside guillemets; none before the other marks."""
    for message in messages(Language.FR):
        for string in strings(message):
            bare = PLACEHOLDER.sub("x", string)
            assert not re.search(r"[^\u00a0\d](?::(?!\S)|»)|«[^\u00a0]|\s[;?!]", bare), string  # lang:fr is no prose
            assert "'" not in bare, f"a typewriter apostrophe in {string!r}"


@pytest.mark.parametrize(
    ("language", "number", "text"),
    [
        (Language.EN, 0, "0 new stories on your topics"),
        (Language.EN, 1, "1 new story on your topics"),
        (Language.EN, 2, "2 new stories on your topics"),
        (Language.FR, 0, "0 nouvelle sur vos sujets"),
        (Language.FR, 1, "1 nouvelle sur vos sujets"),
        (Language.FR, 2, "2 nouvelles sur vos sujets"),
        (Language.ES, 0, "0 noticias nuevas sobre sus temas"),
        (Language.ES, 1, "1 noticia nueva sobre sus temas"),
        (Language.ES, 2, "2 noticias nuevas sobre sus temas"),
    ],
)
def test_plurals(language: Language, number: int, text: str) -> None:
    one, many = "%(num)d new story on your topics", "%(num)d new stories on your topics"
    assert translations.translations(language).ngettext(one, many, number) % {"num": number} == text


FIRST = datetime(2026, 11, 1, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (Language.EN, ("1 November", "1 November 2026", "1–8 Nov 2026", "United States")),
        (Language.FR, ("1er novembre", "1er novembre 2026", "1–8 nov. 2026", "États-Unis")),
        (Language.ES, ("1 de noviembre", "1 de noviembre de 2026", "1–8 de noviembre de 2026", "Estados Unidos")),
    ],
)
def test_dates_and_names(language: Language, written: tuple[str, ...]) -> None:
    zone = "America/Toronto"
    assert written == (
        translations.day(FIRST, language, zone),
        translations.full_day(FIRST, language, zone),
        translations.days(FIRST, FIRST + timedelta(days=7), language, zone),
        translations.country_name("US", language),
    )


def test_days_are_the_readers_own() -> None:
    late = datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert translations.day(late, Language.EN, "America/Vancouver") == "22 November"
    assert translations.day(late, Language.EN, "Pacific/Auckland") == "23 November"


def test_a_window_that_ends_at_midnight_ends_on_the_day_before() -> None:
    midnight = datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert translations.last_day(midnight, Language.EN, "America/Toronto") == "22 November"
    assert translations.days(midnight - timedelta(days=1), midnight, Language.EN, "America/Toronto") == "22 Nov 2026"


@pytest.mark.parametrize(("code", "name"), [("INT", ""), ("", ""), ("EU", "European Union"), ("ZQ", "ZQ")])
def test_countries_that_are_none(code: str, name: str) -> None:
    assert translations.country_name(code, Language.EN) == name


@pytest.mark.parametrize(
    ("schedule", "language", "text"),
    [
        (Schedule(), Language.EN, "Once a week, on Monday at 08:00 (Toronto time)"),
        (Schedule(), Language.FR, "Une fois par semaine, le lundi à 08 h 00 (heure locale : Toronto)"),
        (Schedule(Frequency.DAILY, hour=18), Language.EN, "Every day at 18:00 (Toronto time)"),
        (Schedule(Frequency.IMMEDIATE), Language.ES, "En cuanto haya novedades"),
    ],
)
def test_a_schedule_in_words(schedule: Schedule, language: Language, text: str) -> None:
    assert translations.schedule_text(schedule, language).replace("\u00a0", " ") == text
