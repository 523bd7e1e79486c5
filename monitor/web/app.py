"""The web application: pages for people, and what the machines around it ask."""

from __future__ import annotations

from pathlib import Path

from asgi_cross_origin_protection import CrossOriginProtection
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.app import App
from monitor.web import (
    account,
    address,
    api,
    desk,
    feeds,
    health,
    home,
    items,
    matches,
    own_digests,
    preferences,
    queue,
    reader,
    search,
    sign_in,
    signup,
    staff,
    topics,
    verdicts,
    websub,
)
from monitor.web.access import check_declared
from monitor.web.limits import Throttle
from monitor.web.problems import handle_problems

PAGES = (
    home,
    topics,
    feeds,
    items,
    search,
    signup,
    preferences,
    own_digests,
    address,
    queue,
    staff,
    reader,
    health,
    sign_in,
    account,
    matches,
    verdicts,
    websub,
    *desk.PAGES,
)
"""The modules whose ``router`` make up the site."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Not "no-referrer": with that, browsers send "Origin: null" with a form, and over plain HTTP, where they send no
    # Sec-Fetch-Site, our own forms would look like somebody else's.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def create_web(app: App) -> FastAPI:
    """The web application of an installation."""
    web = FastAPI(title="Roadmap Monitor", docs_url=None, redoc_url=None, openapi_url=None)
    serve_installation(web, app)
    web.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for module in (*PAGES, *api.MODULES):
        web.include_router(module.router)
    check_declared(web)
    handle_problems(web)
    web.add_middleware(_Secured)
    # Browsers say where a request comes from; mutations from elsewhere are refused before any route sees them.
    web.add_middleware(CrossOriginProtection)
    return web


def serve_installation(web: FastAPI, app: App) -> None:
    """Let the pages show an installation from now on, to visitors of whom nothing is counted yet."""
    web.state.app = app
    web.state.throttle = Throttle()


class _Secured:
    """Gives every response the headers that it does not have yet; around the bytes, since it costs each page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def start(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, start if scope["type"] == "http" else send)
