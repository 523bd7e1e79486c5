"""A limit of requests for what costs much: so many a minute for each key, or each network without one.

It is counted in memory, by each process for itself: a page that is only read shall cost no write. The public forms
are limited in rows instead (``monitor.store.limits``): there the number matters, and they write anyway.
"""

from __future__ import annotations

import threading
from datetime import datetime

from fastapi import HTTPException, Request
from sqlmodel import Session

from monitor.store.limits import network_of, within_network_limit
from monitor.web.asked import app_of


class Throttle:
    """Counts uses in the current minute, by who uses; what was before is forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute: datetime | None = None
        self._counts: dict[str, int] = {}

    def count(self, who: str, now: datetime) -> int:
        """Count one more use; how many there have been this minute."""
        minute = now.replace(second=0, microsecond=0)
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            self._counts[who] = self._counts.get(who, 0) + 1
            return self._counts[who]


async def throttled(request: Request) -> None:
    """A dependency that answers 429 to whoever asks too much this minute.

    Raises:
        HTTPException: They do.
    """
    app = app_of(request)
    throttle: Throttle = request.app.state.throttle
    now = app.clock()
    if throttle.count(_who(request), now) > app.settings.requests_per_minute:
        raise HTTPException(429, headers={"Retry-After": str(60 - now.second)})


def within_form_limit(request: Request, session: Session, form: str) -> bool:
    """Count one more use of a public form by a network, and tell whether it may still be used this hour."""
    app = app_of(request)
    address, limit = request.client.host if request.client else None, app.settings.signups_per_network_and_hour
    return within_network_limit(session, form, address, key=app.key, limit=limit, now=app.clock())


def _who(request: Request) -> str:
    visitor = getattr(request.state, "visitor", None)
    if visitor is not None and visitor.holder:
        return f"{'key' if visitor.by_key else 'session'}/{visitor.holder.row_id}"
    return network_of(request.client.host if request.client else None)
