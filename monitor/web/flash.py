"""What a page says once after something was done: it travels signed, in a cookie, to the next page."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import RedirectResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer

from monitor.texts import Text, pack, unpack
from monitor.web.asked import app_of
from monitor.web.paths import own_path

COOKIE = "said"
_LIFE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Said:
    """A message, and whether it tells of a failure."""

    text: Text
    failed: bool = False


def back_to(request: Request, path: str, text: str = "", *, failed: bool = False) -> RedirectResponse:
    """Answer a form: go on to a page of ours (303), which says what was done.

    Args:
        request: The request that is answered.
        path: The page.
        text: What it says, marked for the catalogues; nothing where empty.
        failed: Whether that is bad news.
    """
    response = RedirectResponse(own_path(path), status_code=303)
    if text:
        app = app_of(request)
        signed = _serializer(app.key).dumps([pack(text), failed])
        response.set_cookie(COOKIE, str(signed), max_age=_LIFE, httponly=True, samesite="lax")
    return response


def said(request: Request) -> Said | None:
    """What is to be said on this page."""
    app = app_of(request)
    try:
        text, failed = _serializer(app.key).loads(request.cookies.get(COOKIE, ""), max_age=_LIFE)
    except BadSignature:
        return None
    return Said(unpack(text), failed)


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="roadmap-monitor/said")
