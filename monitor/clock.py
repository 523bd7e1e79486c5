"""The present, for those at the edges; decisions take it as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)
