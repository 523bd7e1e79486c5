"""What a load balancer and Prometheus ask."""

from __future__ import annotations

from dataclasses import asdict
from ipaddress import ip_address

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse

from monitor.core.roles import Role
from monitor.runners.status import METRICS_TYPE, metrics
from monitor.store.standing import check_readiness
from monitor.web.access import guarded
from monitor.web.asked import app_of

router = guarded(Role.PUBLIC)

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether the process answers at all; it says nothing of the database."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> JSONResponse:
    """Whether the process may be sent requests: its database answers and has the schema of this release."""
    found = check_readiness(app_of(request).database)
    return JSONResponse(asdict(found), status_code=200 if found.ready else 503)


@router.get("/metrics")
def metrics_(request: Request) -> Response:
    """What this process counted and what the rows tell, for who asks from this very machine, and not for a proxy.

    Prometheus elsewhere asks at ``metrics_port``, which is not published.
    """
    if not _is_direct(request):
        raise HTTPException(404)
    return Response(metrics(app_of(request), rows=True), media_type=METRICS_TYPE)


def _is_direct(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
