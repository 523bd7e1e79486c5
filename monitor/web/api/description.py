"""The description of the API, from which clients are made: OpenAPI 3.1, of the routes under ``/api/v1`` alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from monitor import __version__
from monitor.core.roles import Role
from monitor.web.access import DeclaredRoute, declared_routes, guarded_api

router = guarded_api(Role.PUBLIC)

_SAYS = """
Government news on the U.S.-Canada Partnership Roadmap. Reading is for everybody; the rest asks for a key of the staff,
sent as `Authorization: Bearer …`; the page /account makes one. Errors are `application/problem+json` (RFC 9457). Lists
are paged: send `following` of one page as `cursor` of the next.
"""


@router.get("/openapi.json", include_in_schema=False)
def describe(request: Request) -> dict[str, Any]:
    """The OpenAPI description."""
    web = request.app
    if web.openapi_schema is None:
        routes = [one for one in iter_route_contexts(web.routes) if (one.path or "").startswith("/api/v1/")]
        made = get_openapi(title="Roadmap Monitor", version=__version__, description=_SAYS, routes=routes)
        web.openapi_schema = _with_keys(made, declared_routes(web))
    schema: dict[str, Any] = web.openapi_schema
    return schema


def _with_keys(schema: dict[str, Any], routes: Iterable[DeclaredRoute]) -> dict[str, Any]:
    """The description with what each route asks for: a key, and the role that it must have."""
    schema.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for route in routes:
        operation = schema["paths"].get(route.path, {}).get(route.method.lower())
        if operation is not None and route.role:
            operation["security"] = [{"key": []}]
            operation["x-role"] = route.role.word
    return schema
