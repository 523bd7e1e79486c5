"""What a load balancer asks."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether the process answers at all; it says nothing of the database."""
    return {"status": "ok"}
