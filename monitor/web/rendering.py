"""Jinja for the web pages, in each of the reader's languages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Literal

from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from monitor.core.languages import Language
from monitor.core.roles import role_of
from monitor.letters import web_address
from monitor.matching.excerpt import excerpt
from monitor.shipped import shipped
from monitor.store.limits import HOUR
from monitor.translations import (
    calendar_day,
    country_name,
    day,
    full_day,
    instant,
    locale,
    moment_text,
    say,
    translations,
)
from monitor.web import flash
from monitor.web.access import Visitor, visitor_of
from monitor.web.flash import Said
from monitor.web.languages import COOKIE as LANGUAGE_COOKIE
from monitor.web.languages import asked_language, reader_language, switch
from monitor.web.navigation import Link, navigation

_A_YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame of every page shows around what the page is about."""

    visitor: Visitor
    navigation: list[Link]
    switch: list[tuple[str, str, str]]
    said: Said | None


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    language: Language | None = None,
    found_at: str = "",
    **values: Any,
) -> HTMLResponse:
    """Render a template of ``templates/web`` as a response.

    Args:
        request: The request that is answered.
        template: The name of the template.
        status: The HTTP status.
        language: In which language, where that is not simply the reader's.
        found_at: Where the page is found in other languages, where that is not the path of the request.
        values: What the template names besides ``frame``.
    """
    language = language or reader_language(request)
    frame = _frame(request, language, found_at)
    html = environment(language).get_template(template).render(values, frame=frame)
    response = HTMLResponse(html, status_code=status)
    if frame.said:
        response.delete_cookie(flash.COOKIE)
    if asked := asked_language(request):
        response.set_cookie(LANGUAGE_COOKIE, asked.value, max_age=_A_YEAR, samesite="lax", httponly=True)
    return response


def own_page(
    request: Request, template: str, *, status: int = 200, language: Language | None = None, **values: Any
) -> HTMLResponse:
    """Render a page that is one reader's own: nobody keeps a copy of it, and no search engine lists it."""
    response = page(request, template, status=status, language=language, **values)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def message_page(request: Request, title: str, text: str, *, status: int) -> HTMLResponse:
    """A page that says one thing; title and text are translated where the catalogue has them."""
    language = reader_language(request)
    return page(
        request, "message.html", status=status, title=say(title, language), text=as_sentence(say(text, language))
    )


def too_many_page(request: Request) -> HTMLResponse:
    """What a public form answers that was used too often this hour."""
    response = own_page(request, "too_many.html", status=429)
    response.headers["Retry-After"] = str(int(HOUR.total_seconds()))
    return response


def as_sentence(clause: str) -> str:
    """A clause as a sentence of its own: with a capital and a full stop."""
    return clause[:1].upper() + clause[1:] + ("" if clause.endswith((".", "?", "!", "…")) or not clause else ".")


def _frame(request: Request, language: Language, path: str) -> Frame:
    visitor = visitor_of(request)
    # A part of a page shows no messages: they wait for the next whole page.
    told = None if "hx-request" in request.headers else flash.said(request)
    return Frame(visitor, navigation(visitor.role, request.url.path), switch(request, language, path), told)


def ago(moment: datetime | None, now: datetime, language: Language = Language.EN) -> str:
    """How long ago something was, or in what time it will be, roughly and in words."""
    told = translations(language)
    if moment is None:
        return told.gettext("never")
    span = moment - now
    if abs(span) < timedelta(minutes=1):
        return told.gettext("within a minute") if span > timedelta(0) else told.gettext("just now")
    unit = next(unit for size, unit in _UNITS if abs(span) >= size)
    return format_timedelta(span, granularity=unit, threshold=1e9, add_direction=True, locale=locale(language))


_UNITS: tuple[tuple[timedelta, Literal["day", "hour", "minute"]], ...] = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


@cache
def environment(language: Language) -> Environment:
    """Jinja for one language."""
    made = Environment(
        loader=FileSystemLoader(shipped("templates", "web")),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # added by the i18n extension
    made.filters["web"] = web_address
    made.filters["country"] = partial(country_name, language=language)
    made.filters["day"] = partial(day, language=language, zone="UTC")
    made.filters["date"] = partial(full_day, language=language, zone="UTC")
    made.filters["calendar_day"] = partial(calendar_day, language=language)
    made.filters["instant"] = partial(instant, language=language)
    made.filters["say"] = partial(say, language=language)
    made.filters["as_sentence"] = as_sentence
    made.filters["role"] = role_of
    made.filters["percent"] = partial(format_percent, locale=locale(language))
    made.filters["duration"] = partial(format_timedelta, locale=locale(language), threshold=1.5)
    made.filters["fields"] = lambda value: list(asdict(value).items())
    made.filters["excerpt"] = excerpt
    made.filters["moment"] = partial(moment_text, language=language)
    made.filters["number"] = partial(format_decimal, locale=locale(language))
    made.globals.update(ago=partial(ago, language=language), language=language.value)
    return made
