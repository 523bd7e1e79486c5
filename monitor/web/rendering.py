"""Jinja for the web pages, in each of the reader's languages."""

from __future__ import annotations

from datetime import datetime
from functools import cache, partial
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from monitor.core.languages import Language
from monitor.letters import web_address
from monitor.matching.excerpt import excerpt
from monitor.shipped import shipped
from monitor.translations import country_name, day, moment_text, translations

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def page(template: str, *, status: int = 200, language: Language = Language.EN, **values: Any) -> HTMLResponse:
    """Render a template of ``templates/web`` as a response."""
    return HTMLResponse(_environment(language).get_template(template).render(values), status_code=status)


def own_page(template: str, *, status: int = 200, language: Language, **values: Any) -> HTMLResponse:
    """Render a page that is one reader's own: nobody keeps a copy of it, and no search engine lists it."""
    response = page(template, status=status, language=language, **values)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def message_page(title: str, text: str, *, status: int, language: Language = Language.EN) -> HTMLResponse:
    """A page that says one thing; title and text are translated where the catalogue has them."""
    say = translations(language).gettext
    return page("message.html", status=status, language=language, title=say(title), text=say(text))


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago something was, roughly and in words."""
    if moment is None:
        return "never"
    seconds = int((now - moment).total_seconds())
    if abs(seconds) < 60:
        return "within a minute" if seconds < 0 else "just now"
    return f"{_span(seconds)} ago" if seconds > 0 else f"in {_span(-seconds)}"


def _span(seconds: int) -> str:
    size, name = next(unit for unit in _UNITS if seconds >= unit[0])
    count = seconds // size
    return f"{count} {name}{'s' if count > 1 else ''}"


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(shipped("templates", "web")),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # added by the i18n extension
    environment.filters["web"] = web_address
    environment.filters["country"] = partial(country_name, language=language)
    environment.filters["day"] = partial(day, language=language, zone="UTC")
    environment.filters["excerpt"] = excerpt
    environment.filters["moment"] = partial(moment_text, language=language)
    environment.globals.update(ago=ago, language=language.value)
    return environment
