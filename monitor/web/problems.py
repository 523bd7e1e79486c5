"""How errors are told: to people as a page, to programs as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from monitor.errors import Conflict, MonitorError, NotFound, QueryError, Transient
from monitor.texts import marked as _
from monitor.web.paths import own_path, path_of
from monitor.web.rendering import message_page

log = structlog.get_logger(__name__)

API = "/api/"

_TEXTS = {
    403: (_("Not for you"), _("Your role does not allow this. An operator can give you another one.")),
    404: (_("Not found"), _("There is no page at this address.")),
    405: (_("This did not work"), _("This page does not take such a request.")),
    429: (_("Too many requests"), _("Please wait a minute and try again.")),
    500: (_("This did not work"), _("Something went wrong on our side. It has been written down.")),
    503: (_("Busy"), _("The database is busy. Please try again in a moment.")),
}
_OTHER = _("This did not work")


def handle_problems(web: FastAPI) -> None:
    """Have every error answered as a page or as a problem."""
    web.add_exception_handler(MonitorError, _ours)
    web.add_exception_handler(HTTPException, _http)
    web.add_exception_handler(RequestValidationError, _invalid)
    web.add_exception_handler(Exception, _unforeseen)


def problem(status: int, detail: str = "", **more: Any) -> JSONResponse:
    """An error for a program: what is wrong, and what else helps to mend it."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(content, status_code=status, media_type="application/problem+json")


def status_of(error: MonitorError) -> int:
    """The HTTP status that tells of an error of ours."""
    match error:
        case NotFound():
            return 404
        case Conflict():
            return 409
        case Transient():
            return 503
        case _:
            return 400


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, MonitorError)  # noqa: S101 - registered for it alone
    status = status_of(error)
    if status == 503:
        return _answer(request, status, headers={"Retry-After": "10"})
    if isinstance(error, QueryError) and request.url.path.startswith(API):
        return problem(status, str(error), position=error.position, remedy=error.remedy)
    return _answer(request, status, error.text)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    if error.status_code == 401:
        return _sign_in_first(request)
    detail = "" if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
    return _answer(request, error.status_code, detail, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    errors = [_wrong(one) for one in error.errors()]
    if request.url.path.startswith(API):
        return problem(400, f"{errors[0]['field']}: {errors[0]['problem']}", errors=errors)
    if any(one["in"] == "path" for one in errors):
        return _answer(request, 404)
    return _answer(request, 400, f"{errors[0]['field']} = {errors[0]['value']}: {errors[0]['problem']}")


def _wrong(one: dict[str, Any]) -> dict[str, str]:
    where, *names = one["loc"]
    value = repr(one.get("input"))[:100]
    return {"in": str(where), "field": ".".join(map(str, names)), "value": value, "problem": str(one["msg"])}


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("a request failed", method=request.method, route=_route(request), exc_info=error)
    return _answer(request, 500)


def _route(request: Request) -> str:
    """The route's pattern, never the path: paths hold tokens."""
    return getattr(request.scope.get("route"), "path", "")


def _answer(request: Request, status: int, detail: str = "", headers: Any = None) -> Response:
    title, text = _TEXTS.get(status, (_OTHER, HTTPStatus(status).phrase))
    if request.url.path.startswith(API):
        response: Response = problem(status, detail or text)
    else:
        response = message_page(request, title, detail or text, status=status)
    response.headers.update(headers or {})
    return response


def _sign_in_first(request: Request) -> Response:
    """Send a browser to sign in, and back to the page that it was on; tell a program that it needs a key."""
    if request.url.path.startswith(API):
        response = problem(401, "Send a key of yours as `Authorization: Bearer …`; the page /account makes one.")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    is_part = "hx-request" in request.headers
    page = _page_of(request) if is_part or request.method != "GET" else own_path(_here(request))
    address = f"/sign-in?next={quote(page, safe='/')}"
    if is_part:
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _page_of(request: Request) -> str:
    """The page from which a form or a part of a page was asked for."""
    address = request.headers.get("hx-current-url") or request.headers.get("referer")
    return path_of(address, request.url.netloc) or "/"
