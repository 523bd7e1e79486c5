"""The time zones that a form offers: by country in the reader's language, the three neighbours first."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from babel.core import get_global
from babel.dates import get_timezone_location

from monitor.core.languages import Language
from monitor.core.text import unaccent
from monitor.translations import locale

Zones = tuple[tuple[str, str], ...]
"""Zones as pairs of id and city."""

_NEIGHBOURS = ("CA", "US", "MX")


@cache
def zones_by_country(language: Language) -> tuple[tuple[str, Zones], ...]:
    """Countries with their zones, each by name in the language."""
    names = locale(language).territories
    known = available_timezones()
    countries = []
    for code, zones in get_global("territory_zones").items():
        if cities := [(zone, _city(zone, language)) for zone in zones if zone in known and "/" in zone]:
            countries.append((code not in _NEIGHBOURS, names.get(code, code), _sorted(cities)))
    ordered = sorted(countries, key=lambda country: (country[0], _letters(country[1])))
    return (*((name, zones) for _, name, zones in ordered), ("UTC", (("UTC", "UTC"),)))


def offers(zone: str, language: Language) -> bool:
    """Whether a zone is among those offered; an old name of one is not, though it works."""
    return any(zone == offered for _, zones in zones_by_country(language) for offered, _ in zones)


def _city(zone: str, language: Language) -> str:
    return get_timezone_location(zone, locale=locale(language), return_city=True).rpartition("/")[2]


def _sorted(cities: list[tuple[str, str]]) -> Zones:
    return tuple(sorted(cities, key=lambda city: _letters(city[1])))


def _letters(name: str) -> str:
    return unaccent(name).casefold()
