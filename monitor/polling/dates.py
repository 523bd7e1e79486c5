"""The dates that sources write, in RFC 822, ISO 8601, or the words of English, French and Spanish."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import lru_cache

import dateparser

from monitor.core.languages import READER_LANGUAGES, Language

_LONGEST = 100
_TOLERANCE = timedelta(days=1)
_OLDEST = datetime(1971, 1, 1, tzinfo=UTC)
_EMAIL_ZONES = {  # RFC 5322's parser knows the zones of the contiguous United States; these are their neighbours
    "NST": "-0330",
    "NDT": "-0230",
    "AKST": "-0900",
    "AKDT": "-0800",
    "HST": "-1000",
    "CET": "+0100",
    "CEST": "+0200",
    "BST": "+0100",
}
_ZONE_NAME = re.compile(r"\b(" + "|".join(_EMAIL_ZONES) + r")$")
_WIDEST_OFFSET = 15 * 3600  # seconds; the widest in use is +14:00
_NO_DATE = "-0001"  # how Drupal writes the day zero: Wed, 30 Nov -0001
_CLOCK_WITH_H = re.compile(r"(?:\bà )?\b(\d{1,2}) ?h(?: ?(\d{2}))?\b")  # French: 10 h 15
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?")  # W3C-DTF allows a year, or a year and a month
_SPELLED_SETTINGS = {
    "PARSERS": ["absolute-time"],  # neither "yesterday", nor a bare number taken for a timestamp
    "REQUIRE_PARTS": ["day", "month", "year"],
    "RETURN_AS_TIMEZONE_AWARE": True,
    "TIMEZONE": "UTC",
}


def read_date(text: str | None, *, language: Language | None) -> datetime | None:
    """The moment that ``text`` names, in aware UTC, or None where it names none; the same at every visit.

    A date without a zone is taken as UTC, one without a time as midnight. Dates before 1971 are the zero of
    somebody's clock and give None.

    Args:
        text: The date as the source writes it.
        language: The language of the source. It is tried first, then English, French and Spanish; so it settles
            what ``03/04/2026`` means, which is 4 March in English only.
    """
    text = " ".join((text or "")[:_LONGEST].split())
    if not text or _NO_DATE in text:
        return None
    moment = (_iso(text) if text[0].isdigit() else None) or _rfc822(text) or _spelled(text, language)
    return moment if moment and moment >= _OLDEST else None


def clamped(moment: datetime | None, now: datetime) -> datetime | None:
    """``moment``, or ``now`` in UTC where it lies more than a day after ``now``.

    Agencies mistype years, and an item of next year would lead every list until then.
    """
    return now.astimezone(UTC) if moment and moment > now + _TOLERANCE else moment


def _iso(text: str) -> datetime | None:
    if partial := _PARTIAL.fullmatch(text):
        text = f"{partial[1]}-{partial[2] or '01'}-01"
    try:
        return _in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _rfc822(text: str) -> datetime | None:
    text = _ZONE_NAME.sub(lambda zone: _EMAIL_ZONES[zone[1]], text)
    try:
        parts = parsedate_tz(text)
        if parts is None or abs(parts[9] or 0) > _WIDEST_OFFSET:
            return None
        return datetime(*parts[:6], tzinfo=UTC) - timedelta(seconds=parts[9] or 0)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


@lru_cache(maxsize=4096)  # dateparser takes 1 to 4 ms a date, and a feed shows the same dates again and again
def _spelled(text: str, language: Language | None) -> datetime | None:
    text = _CLOCK_WITH_H.sub(lambda clock: f"{clock[1]}:{clock[2] or '00'}", text)
    own_first = sorted(READER_LANGUAGES, key=lambda other: other != language)
    for tried in own_first:
        try:
            moment = dateparser.parse(text, languages=[str(tried)], settings=_SPELLED_SETTINGS)
        except (ValueError, OverflowError):
            continue
        if moment:
            return _in_utc(moment)
    return None


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
