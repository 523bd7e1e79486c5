"""Reading and writing ``config/sources.toml``: one ``[[sources]]`` table for each source."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import soupsieve
import tomlkit

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.errors import Refused, SettingError
from monitor.texts import marked as _

SELECTOR_NAMES = ("item", "title", "link", "date", "summary", "next", "article")
"""What a CSS selector of a source may find: the parts of a list of publications, the link to its next page, and an
article's main text."""

_REQUIRED = ("slug", "url", "agency", "country", "language")
_KEYS = (*_REQUIRED, "kind", "selectors", "last_verified", "note")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COUNTRY_REMEDY = _("write an ISO 3166 code such as CA, or EU, or INT")
_COUNTRY = re.compile(r"[A-Z]{2}|INT")
_NOT_IN_A_URL = re.compile(r"[\s\\\x00-\x1f\x7f]")


def read_sources(text: str, where: str) -> tuple[SourceSpec, ...]:
    """The sources that a TOML text lists, in its order.

    Args:
        text: The content of a sources file.
        where: The name of the file, for the errors.

    Raises:
        SettingError: The text is no TOML, or a key or value in it is wrong; it names the key and the remedy.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(where, "TOML", str(error), _("correct the syntax at that place")) from error
    _refuse_unknown(document, ("sources",), where, "")
    rows = document.get("sources", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingError(where, "sources", rows, _("write each source as a [[sources]] table"))
    for number, row in enumerate(rows):
        _refuse_unknown(row, _KEYS, where, f"sources[{number}].")
    sources = tuple(_source(row, where, f"sources[{number}]") for number, row in enumerate(rows))
    _refuse_repeats(sources, where)
    return sources


def read_source(row: Mapping[str, Any]) -> SourceSpec:
    """One source as somebody typed it, read as strictly as one of a file.

    Args:
        row: The keys of a ``[[sources]]`` table.

    Raises:
        SettingError: A key or value is wrong; its ``key`` is the key's name, dotted within ``selectors``.
    """
    _refuse_unknown(row, _KEYS, "the source", "")
    return _source(row, "the source", "")


def read_selectors(value: Mapping[str, str]) -> dict[str, str]:
    """The CSS selectors of a page, read as strictly as those of a file.

    Raises:
        SettingError: One is unknown or none, or the selector ``item`` is missing.
    """
    return _selectors(dict(value), SourceKind.PAGE, "the page", "selectors")


def check_country(code: str) -> None:
    """Make sure that a text is a country's code, ``EU`` or ``INT``.

    Raises:
        Refused: It is not.
    """
    if not _COUNTRY.fullmatch(code):
        raise Refused(_("country %(code)s: %(remedy)s", code=repr(code[:20]), remedy=_COUNTRY_REMEDY))


def write_sources(sources: Sequence[SourceSpec]) -> str:
    """The TOML text of ``sources``, from which ``read_sources`` reads the same again."""
    return "\n".join(tomlkit.dumps({"sources": [_row(source)]}).strip() + "\n" for source in sources)


def _row(source: SourceSpec) -> dict[str, object]:
    row: dict[str, object] = {key: str(getattr(source, key)) for key in (*_REQUIRED, "kind")}
    if source.selectors:
        row["selectors"] = tomlkit.inline_table() | dict(source.selectors)
    row["last_verified"] = source.last_verified
    return row | ({"note": source.note} if source.note else {})


def _source(row: Mapping[str, Any], where: str, at: str) -> SourceSpec:
    texts = {key: _text(row, key, where, at) for key in _KEYS if key != "selectors"}
    for key in _REQUIRED:
        _demand(bool(texts[key]), where, _under(at, key), row.get(key), _("give it a value"))
    _check(texts, where, at)
    kind = SourceKind(texts["kind"] or SourceKind.FEED)
    return SourceSpec(
        slug=texts["slug"],
        url=texts["url"],
        agency=texts["agency"],
        country=texts["country"],
        language=Language(texts["language"]),
        kind=kind,
        selectors=_selectors(row.get("selectors", {}), kind, where, _under(at, "selectors")),
        last_verified=texts["last_verified"],
        note=texts["note"],
    )


def _under(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _text(row: Mapping[str, Any], key: str, where: str, at: str) -> str:
    value = row.get(key, "")
    _demand(isinstance(value, str), where, _under(at, key), value, _("write a text in quotes"))
    return str(value).strip()


def _check(texts: Mapping[str, str], where: str, at: str) -> None:
    languages = ", ".join(READER_LANGUAGES)
    remedies = {
        "slug": (_SLUG.fullmatch(texts["slug"]), _("use small letters, digits and single hyphens")),
        "url": (_is_web_address(texts["url"]), _("write an address that begins with https:// or http://")),
        "country": (_COUNTRY.fullmatch(texts["country"]), _COUNTRY_REMEDY),
        "language": (texts["language"] in READER_LANGUAGES, _("write one of %(languages)s", languages=languages)),
        "kind": (texts["kind"] in {"", *SourceKind}, _("write feed or page")),
        "last_verified": (_is_day_or_empty(texts["last_verified"]), _("write a day as YYYY-MM-DD, or leave it empty")),
    }
    for key, (fits, remedy) in remedies.items():
        _demand(bool(fits), where, _under(at, key), texts[key], remedy)


def _selectors(value: object, kind: SourceKind, where: str, at: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise SettingError(where, at, value, _('write { item = "…", title = "…" }'))
    _refuse_unknown(value, SELECTOR_NAMES, where, f"{at}.")
    for name, selector in value.items():
        _demand(_is_selector(selector), where, f"{at}.{name}", selector, _("write a CSS selector"))
    if kind is SourceKind.PAGE and "item" not in value:
        raise SettingError(where, at, value, _("a page needs at least the selector item"))
    return dict(value)


def _is_selector(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(value) and soupsieve.compile(value) is not None
    except soupsieve.SelectorSyntaxError:
        return False


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        plain = parts.username is None and not _NOT_IN_A_URL.search(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain
    except ValueError:
        return False


def _is_day_or_empty(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _refuse_unknown(row: Mapping[str, Any], known: Sequence[str], where: str, prefix: str) -> None:
    for key, value in row.items():
        _demand(
            key in known, where, f"{prefix}{key}", value, _("no such key; known are %(known)s", known=", ".join(known))
        )


def _refuse_repeats(sources: Sequence[SourceSpec], where: str) -> None:
    for key in ("slug", "url"):
        seen: set[str] = set()
        for number, source in enumerate(sources):
            value = getattr(source, key)
            _demand(value not in seen, where, f"sources[{number}].{key}", value, _("each source needs its own"))
            seen.add(value)


def _demand(fits: bool, where: str, key: str, value: object, remedy: str) -> None:  # noqa: FBT001 - a private assertion
    if not fits:
        raise SettingError(where, key, value, remedy)
