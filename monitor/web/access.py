"""Who may open what: each router says which role it asks for, and one that does not say so does not start.

``guarded(Role.EDITOR)`` makes a router whose every route asks for that role. ``check_declared`` runs over all routes
when the application is put together: a route without a role is a mistake that nobody gets to meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Mount

from monitor.app import App
from monitor.core.roles import Role
from monitor.errors import Transient
from monitor.staff.sign_in import SESSION_LIFE
from monitor.store.staff import Holder, holder_of_session, holder_of_token, mark_seen
from monitor.store.tables import ApiTokenRow, StaffSessionRow
from monitor.web.asked import app_of
from monitor.web.limits import throttled

_NOTED_EVERY = timedelta(hours=1)
"""How often it is written down that a session or key is in use: a page that is only read should cost no write."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request: nobody known, or somebody of the staff, by a browser's session or a program's key."""

    holder: Holder | None = None
    by_key: bool = False

    @property
    def role(self) -> Role:
        """What they may do."""
        return self.holder.role if self.holder else Role.PUBLIC

    @property
    def address(self) -> str:
        """Their address, under which they act; empty for the public."""
        return self.holder.address if self.holder else ""


ANYBODY = Visitor()


class Needs:
    """A dependency that lets in whoever has a role, and asks everybody else to sign in (401) or refuses them (403)."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request) -> Visitor:
        """The visitor, who has the role.

        Raises:
            HTTPException: They have not.
        """
        visitor = await _recognise(request)
        if visitor.role < self.role:
            raise HTTPException(403 if visitor.holder else 401)
        return visitor


needs = cache(Needs)
"""The dependency that asks for a role; one for each, so that a request is asked once."""


def guarded(role: Role, **options: Any) -> APIRouter:
    """A router whose every route asks for a role; a route may ask for a higher one with ``needs`` of its own."""
    return APIRouter(dependencies=[Depends(needs(role))], **options)


def guarded_api(role: Role, **options: Any) -> APIRouter:
    """A router under ``/api/v1`` whose every route asks for a role and keeps to the limit of requests."""
    return APIRouter(prefix="/api/v1", dependencies=[Depends(needs(role)), Depends(throttled)], **options)


Viewer = Annotated[Visitor, Depends(needs(Role.VIEWER))]
Reviewer = Annotated[Visitor, Depends(needs(Role.REVIEWER))]
Editor = Annotated[Visitor, Depends(needs(Role.EDITOR))]
Operator = Annotated[Visitor, Depends(needs(Role.OPERATOR))]
"""Parameters of a route: the visitor, who has at least this role."""


def visitor_of(request: Request) -> Visitor:
    """The visitor as the route's guard has recognised them; the public where no route was reached."""
    found: Visitor = getattr(request.state, "visitor", ANYBODY)
    return found


async def _recognise(request: Request) -> Visitor:
    if not hasattr(request.state, "visitor"):
        app = app_of(request)
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        cookie = request.cookies.get(session_cookie(app), "")
        if scheme.lower() == "bearer":
            request.state.visitor = await run_in_threadpool(_by_key, app, key.strip())
        else:
            request.state.visitor = await run_in_threadpool(_by_session, app, cookie) if cookie else ANYBODY
    return visitor_of(request)


def _by_session(app: App, token: str) -> Visitor:
    with app.database.read() as session:
        holder = holder_of_session(session, token, app.clock())
    if holder is None:
        return ANYBODY
    _note(app, holder, StaffSessionRow)
    return Visitor(holder)


def _by_key(app: App, token: str) -> Visitor:
    with app.database.read() as session:
        holder = holder_of_token(session, token)
    if holder is None:
        raise HTTPException(401)
    _note(app, holder, ApiTokenRow)
    return Visitor(holder, by_key=True)


def _note(app: App, holder: Holder, table: type[StaffSessionRow | ApiTokenRow]) -> None:
    now = app.clock()
    if holder.seen_at is None or now - holder.seen_at > _NOTED_EVERY:
        # Whoever reads while the database is busy shall read: the time is noted at the next request.
        with suppress(Transient), app.database.write() as session:
            mark_seen(session, holder, now, table=table)


# ---- the cookie ----------------------------------------------------------------------------------------------------


def session_cookie(app: App) -> str:
    """The name of the cookie; over HTTPS one that browsers take from this host alone."""
    return "__Host-session" if _is_secure(app) else "session"


def give_session(app: App, response: Response, token: str) -> None:
    """Hand a session to the browser."""
    response.set_cookie(
        session_cookie(app),
        token,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_secure(app),
    )


def take_session(app: App, response: Response) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(session_cookie(app), httponly=True, samesite="lax", secure=_is_secure(app))


def _is_secure(app: App) -> bool:
    return app.settings.base_url.startswith("https:")


# ---- the walk ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """A route as a visitor meets it; ``role`` is None where none was declared."""

    method: str
    path: str
    role: Role | None


def declared_routes(web: FastAPI) -> Iterator[DeclaredRoute]:
    """All routes with the role that each asks for, the highest where there are several."""
    for context in iter_route_contexts(web.routes):
        if isinstance(context.route, Mount) and context.path == "/static":
            continue
        dependant = getattr(context, "dependant", None)
        asked = [each.call.role for each in dependant.dependencies if isinstance(each.call, Needs)] if dependant else []
        for method in sorted(context.methods or ("ANY",)):
            yield DeclaredRoute(method, context.path or "", max(asked, default=None))


def check_declared(web: FastAPI) -> None:
    """Refuse to start with a route that anybody may open only because nobody thought of it.

    Raises:
        LookupError: A route declares no role.
    """
    undeclared: Sequence[str] = [f"{route.method} {route.path}" for route in declared_routes(web) if route.role is None]
    if undeclared:
        raise LookupError(f"no role is declared for {', '.join(undeclared)}: make their router with guarded(Role.…)")
