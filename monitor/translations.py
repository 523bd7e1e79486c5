"""The reader's language: gettext catalogues built from the ``.po`` files at run time, and CLDR dates and names.

English is the language of the message ids. Compiled ``.mo`` files are not kept: a catalogue takes a few
milliseconds to build, once per process, and what is reviewed is then what runs. To bring the catalogues up to date
with templates and code, see docs/digests.md.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations as Untranslated
from babel.support import Translations

from monitor.core.languages import Language
from monitor.core.schedule import Frequency, Schedule
from monitor.texts import Text

LOCALE_FOLDER = Path(__file__).parent / "locale"

# English dates are written day first ("22 November"), which neither of the two countries can misread.
_LOCALES = {Language.EN: "en_GB", Language.FR: "fr_CA", Language.ES: "es_MX"}
_TICK = timedelta.resolution


@cache
def translations(language: Language) -> NullTranslations:
    """The catalogue of a reader language; for English, one that gives the message ids back."""
    path = LOCALE_FOLDER / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return Untranslated()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=locale(language))
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


@cache
def locale(language: Language) -> Locale:
    """The CLDR locale in which dates, numbers and names are written for a reader language."""
    return Locale.parse(_LOCALES.get(language, "en_GB"))


def say(text: str, language: Language) -> str:
    """A marked text in a reader's language; what the catalogues do not have stays as it is."""
    if not text:
        return ""
    found = translations(language).gettext(text.id if isinstance(text, Text) else text)
    if not isinstance(text, Text) or not text.values:
        return found
    return found % {name: _said(value, language) for name, value in text.values.items()}


def _said(value: Any, language: Language) -> str:
    if isinstance(value, int):
        return format_decimal(value, locale=locale(language))
    return say(value, language) if isinstance(value, Text) else str(value)


def day(moment: datetime, language: Language, zone: str) -> str:
    """The local day of an instant, such as "22 November"."""
    return _ordinal(format_skeleton("MMMMd", moment.astimezone(ZoneInfo(zone)), locale=locale(language)), language)


def full_day(moment: datetime, language: Language, zone: str) -> str:
    """The local day of an instant with its year, such as "22 November 2026"."""
    return _ordinal(format_date(moment.astimezone(ZoneInfo(zone)), "long", locale=locale(language)), language)


def calendar_day(day: date, language: Language) -> str:
    """A day of the calendar as short as it is clear, such as "22 Nov 2026"."""
    return format_date(day, "medium", locale=locale(language))


def month(moment: datetime, language: Language) -> str:
    """The month of an instant in UTC with its year, such as "November 2026"."""
    return format_skeleton("yMMMM", moment.astimezone(UTC), locale=locale(language))


def instant(moment: datetime, language: Language) -> str:
    """An instant to the minute, as records of it are dated, such as "22 November 2026, 14:03 UTC"."""
    return f"{full_day(moment, language, 'UTC')}, {moment.astimezone(UTC):%H:%M} UTC"


def _ordinal(written: str, language: Language) -> str:
    """French writes the first of a month "1er novembre"; CLDR's patterns have no ordinals."""
    return re.sub(r"(?<!\d)1 ", "1er ", written, count=1) if language is Language.FR else written


def last_day(end: datetime, language: Language, zone: str) -> str:
    """The last local day of a window; one that ends at midnight does not reach into the new day."""
    return day(end - _TICK, language, zone)


def days(start: datetime, end: datetime, language: Language, zone: str) -> str:
    """The local days from one instant to another with the year, such as "16–22 November 2026"."""
    first, last = (moment.astimezone(ZoneInfo(zone)).date() for moment in (start, end - _TICK))
    return format_interval(first, last, "yMMMMd", locale=locale(language))


def moment_text(moment: datetime, language: Language, zone: str) -> str:
    """An instant as a reader's clock and calendar show it, such as "Monday, 23 November 2026, 08:00"."""
    local = moment.astimezone(ZoneInfo(zone))
    date = _ordinal(format_date(local, "full", locale=locale(language)), language)
    return f"{date}, {format_time(local.timetz().replace(tzinfo=None), 'short', locale=locale(language))}"


def country_name(code: str, language: Language) -> str:
    """The name of a country; ``INT`` has none and gives an empty string, an unknown code is given back."""
    return "" if code in {"", "INT"} else locale(language).territories.get(code, code)


def schedule_text(schedule: Schedule, language: Language) -> str:
    """A schedule in words, such as "Once a week, on Monday at 08:00 (Toronto time)"."""
    say = translations(language)
    if schedule.frequency is Frequency.IMMEDIATE:
        return say.gettext("As soon as there is news")
    parts = {
        "weekday": locale(language).days["format"]["wide"][schedule.weekday],
        "time": format_time(time(schedule.hour), "short", locale=locale(language)),
        "city": get_timezone_location(ZoneInfo(schedule.zone), locale=locale(language), return_city=True),
    }
    if schedule.frequency is Frequency.DAILY:
        return say.gettext("Every day at %(time)s (%(city)s time)") % parts
    return say.gettext("Once a week, on %(weekday)s at %(time)s (%(city)s time)") % parts
