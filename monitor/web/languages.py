"""The language in which a page speaks to its reader, and the time zone that they are likely to be in."""

from __future__ import annotations

from fastapi import Request

from monitor.core.languages import READER_LANGUAGES, Language, primary_language

OWN_NAMES = {Language.EN: "English", Language.FR: "Français", Language.ES: "Español"}
"""Each language as its speakers call it."""

DEFAULT_ZONE = "America/Toronto"
_ZONES = {
    "CA": DEFAULT_ZONE,
    "US": "America/New_York",
    "MX": "America/Mexico_City",
    "GB": "Europe/London",
    "FR": "Europe/Paris",
    "ES": "Europe/Madrid",
}


COOKIE = "lang"


def asked_language(request: Request) -> Language | None:
    """The language of ``?lang=``: the reader has just chosen it."""
    return primary_language(request.query_params.get("lang"))


def reader_language(request: Request, known: str | None = None) -> Language:
    """The reader's language.

    That is the one of ``?lang=``, else the one chosen so before (a cookie keeps it), else the one that is known of the
    reader, else the best that the browser accepts.
    """
    chosen = asked_language(request) or primary_language(request.cookies.get(COOKIE))
    asked = chosen or primary_language(known)
    accepted = (primary_language(tag) for tag in _accepted(request))
    return asked or next((language for language in accepted if language), Language.EN)


def likely_zone(request: Request) -> str:
    """A zone of the country that the browser's languages name, such as Mexico for ``es-MX``."""
    regions = (tag.upper().rpartition("-")[2] for tag in _accepted(request))
    return next((_ZONES[region] for region in regions if region in _ZONES), DEFAULT_ZONE)


def switch(request: Request, current: Language, path: str = "") -> list[tuple[str, str, str]]:
    """The other languages in which a page is there, this one where no path is named: tag, name and address."""
    others = [language for language in READER_LANGUAGES if language is not current]
    asked = {language: request.url.include_query_params(lang=language.value).query for language in others}
    return [(other.value, OWN_NAMES[other], f"{path or request.url.path}?{asked[other]}") for other in others]


def _accepted(request: Request) -> list[str]:
    """The tags of Accept-Language, the most wanted first."""
    weighted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag, _, weight = part.partition(";q=")
        try:
            weighted.append((float(weight or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighted, key=lambda entry: -entry[0]) if weight > 0]
