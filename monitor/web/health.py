"""What a load balancer asks."""

from __future__ import annotations

from monitor.core.roles import Role
from monitor.web.access import guarded

router = guarded(Role.PUBLIC)


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether the process answers at all; it says nothing of the database."""
    return {"status": "ok"}
