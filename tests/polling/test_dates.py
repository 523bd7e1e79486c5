"""Dates as sources write them, in three languages and with every fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.polling.dates import clamped, read_date

VISITED = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def shown(text: str | None, language: Language | None = None) -> datetime | None:
    """The date as an item of this visit shows it."""
    return clamped(read_date(text, language=language), VISITED)


@pytest.mark.parametrize(
    ("written", "language", "read"),
    [
        ("Mon, 23 Nov 2026 09:30:00 -0500", None, "2026-11-23T14:30"),
        ("Mon, 23 Nov 26 09:30 EST", None, "2026-11-23T14:30"),
        ("Tue, 21 Jul 2026 09:30:00 EDT", None, "2026-07-21T13:30"),
        ("Tue, 21 Jul 2026 09:30:00 PDT", None, "2026-07-21T16:30"),
        ("Mon, 23 Nov 2026 09:30:00 NST", None, "2026-11-23T13:00"),
        ("Tue, 21 Jul 2026 09:30:00 CEST", None, "2026-07-21T07:30"),
        ("23 Nov 2026 09:30:00 GMT", None, "2026-11-23T09:30"),
        ("Mon, 23 Nov 2026 09:30:00", None, "2026-11-23T09:30"),
        ("2026-11-23T09:30:00-05:00", None, "2026-11-23T14:30"),
        ("2026-11-23T09:30:00.123Z", None, "2026-11-23T09:30"),
        ("20261123T093000Z", None, "2026-11-23T09:30"),
        ("2026-11-23", None, "2026-11-23T00:00"),
        ("2026-11", None, "2026-11-01T00:00"),
        ("2025", None, "2025-01-01T00:00"),
        ("November 3, 2026", Language.EN, "2026-11-03T00:00"),
        ("Nov. 3, 2026 - 2:30 p.m. EST", Language.EN, "2026-11-03T19:30"),
        ("lun., 23 nov. 2026", Language.FR, "2026-11-23T00:00"),
        ("lun., 23 nov. 2026 09:30:00 -0500", Language.FR, "2026-11-23T14:30"),
        ("lundi 23 novembre 2026 à 9 h 30", Language.FR, "2026-11-23T09:30"),
        ("1er août 2026, 14h", Language.FR, "2026-08-01T14:00"),
        ("mercredi 2 juillet 2025 14 h 30 HAE", Language.FR, "2025-07-02T18:30"),
        ("23 de noviembre de 2026", Language.ES, "2026-11-23T00:00"),
        ("miércoles, 5 de agosto de 2026 17:00", Language.ES, "2026-08-05T17:00"),
        ("03/04/2026", Language.EN, "2026-03-04T00:00"),
        ("03/04/2026", Language.FR, "2026-04-03T00:00"),
        ("03/04/2026", Language.ES, "2026-04-03T00:00"),
        ("23 novembre 2026", Language.EN, "2026-11-23T00:00"),
        (" \n Mon,  23 Nov 2026\t09:30:00 GMT ", None, "2026-11-23T09:30"),
    ],
)
def test_a_date_reads_as_the_moment_it_names(written: str, language: Language | None, read: str) -> None:
    moment = shown(written, language)
    assert moment is not None
    assert moment.tzinfo is UTC
    assert moment.strftime("%Y-%m-%dT%H:%M") == read


NO_DATES = [
    *(None, "", " ", "\x00", "soon", "yesterday", "hier", "11:15", "1700000000", "9" * 5000),
    *("Fri, 31 Feb 2026 10:00:00 GMT", "Mon, 23 Nov 2026 25:00:00 GMT", "Mon, 23 Nov 2026 10:00:00 +9999"),
    *("Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 30 Nov -0001 00:00:00 +0000", "2026-13-45"),
    *("9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:59"),
]


@pytest.mark.parametrize("written", NO_DATES)
def test_what_names_no_moment_is_none(written: str | None) -> None:
    assert shown(written) is None


def test_a_date_of_next_year_is_clamped_to_the_visit_and_one_of_tomorrow_is_not() -> None:
    """FAULTS 27: and what goes into the content hash is never clamped."""
    assert shown("2027-11-23T10:00:00Z") == VISITED
    assert read_date("2027-11-23T10:00:00Z", language=None) == datetime(2027, 11, 23, 10, tzinfo=UTC)
    tomorrow = VISITED + timedelta(hours=23)
    assert shown(tomorrow.isoformat()) == tomorrow


_SECONDS = st.integers(10**8, 17 * 10**8)
_MOMENTS = _SECONDS.map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(_MOMENTS, _ZONES, st.sampled_from([format_datetime, datetime.isoformat, str]))
@settings(max_examples=200)
def test_every_standard_date_comes_back(moment: datetime, zone: timezone, write: object) -> None:
    written = moment.replace(tzinfo=zone)
    assert callable(write)
    assert shown(write(written)) == written


@given(_MOMENTS, st.sampled_from(["en", "fr", "es"]), st.sampled_from(["medium", "long", "full"]))
@settings(max_examples=60)
def test_every_date_in_words_comes_back(moment: datetime, language: str, length: str) -> None:
    """The words are those of the CLDR, as content systems write them."""
    written = format_date(moment, format=length, locale=language)
    read = shown(written, Language(language))
    assert read is not None
    assert read.date() == moment.date()


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_any_text_is_a_moment_in_utc_or_none(text: str) -> None:
    moment = shown(text)
    assert moment is None or (moment.tzinfo is UTC and moment <= VISITED + timedelta(days=1))
