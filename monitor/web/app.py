"""The web application: pages for people, and what the machines around it ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from asgi_cross_origin_protection import CrossOriginProtection
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from monitor.errors import NotFound, Transient
from monitor.tasks import App
from monitor.translations import marked as _
from monitor.web import address, health, home, preferences, reader, signup
from monitor.web.languages import reader_language
from monitor.web.rendering import message_page

NextRuns = Callable[[], Mapping[str, datetime]]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Not "no-referrer": with that, browsers send "Origin: null" with a form, and over plain HTTP, where they send no
    # Sec-Fetch-Site, our own forms would look like somebody else's.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def create_web(app: App, *, next_runs: NextRuns = dict) -> FastAPI:
    """The web application of an installation.

    Args:
        app: The installation.
        next_runs: Tells when each job of the schedule fires next; empty where another process keeps the schedule.
    """
    web = FastAPI(title="Roadmap Monitor", docs_url=None, redoc_url=None, openapi_url=None)
    web.state.app = app
    web.state.next_runs = next_runs
    web.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for module in (home, signup, preferences, address, reader, health):
        web.include_router(module.router)
    web.add_exception_handler(NotFound, _not_found)
    web.add_exception_handler(HTTPException, _http_error)
    web.add_exception_handler(Transient, _try_later)
    web.middleware("http")(_secure)
    # Browsers say where a request comes from; mutations from elsewhere are refused before any route sees them.
    web.add_middleware(CrossOriginProtection)
    return web


async def _secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _not_found(request: Request, error: Exception) -> Response:
    return message_page(_("Not found"), str(error), status=404, language=reader_language(request))


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    language = reader_language(request)
    if status == 404:
        return message_page(_("Not found"), _("There is no page at this address."), status=404, language=language)
    text = str(getattr(error, "detail", error))
    return message_page(_("This did not work"), text, status=status, language=language)


async def _try_later(request: Request, _error: Exception) -> Response:
    text = _("The database is busy. Please try again in a moment.")
    response = message_page(_("Busy"), text, status=503, language=reader_language(request))
    response.headers["Retry-After"] = "10"
    return response
