"""Turns at hosts that all processes of an installation share, through its database.

A claim of sources holds their hosts for the worker that visits them. Every other request goes to whichever host it
likes: a page that lies elsewhere than its feed, an address that an editor looks at, a hub, the target of a redirect. It
takes a turn here, which is free while nobody else is at the host.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from monitor.clock import utc_now
from monitor.store.claims import end_turn, take_turn
from monitor.store.engine import Database

PATIENCE_SECONDS = 20.0
"""How long a turn is waited for; a person may be waiting too."""

_ASK_AGAIN_SECONDS = 0.5


class SharedTurns:
    """Hands out turns at hosts.

    Args:
        database: What the processes share.
        clock: Gives the time, aware UTC; the same for all of them.
        patience_seconds: How long a turn is waited for.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime] = utc_now, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._database, self._clock, self._patience = database, clock, patience_seconds

    @asynccontextmanager
    async def take(self, host: str, *, gap_seconds: float, longest_seconds: float) -> AsyncIterator[bool]:
        """Wait for a host's turn, and hold it; gives whether it came.

        Args:
            host: A name or an address, in lower case.
            gap_seconds: How long the host is left alone afterwards, by every process.
            longest_seconds: When the turn ends, should this process die.
        """
        until = await self._wait(host, longest_seconds)
        try:
            yield until is not None
        finally:
            if until is not None:
                await asyncio.to_thread(self._end, host, until, gap_seconds)

    async def _wait(self, host: str, longest_seconds: float) -> datetime | None:
        """When the turn ends at the latest, or None where it did not come."""
        for attempt in range(1 + int(self._patience / _ASK_AGAIN_SECONDS)):
            await asyncio.sleep(_ASK_AGAIN_SECONDS if attempt else 0)
            if until := await asyncio.to_thread(self._try, host, longest_seconds):
                return until
        return None

    def _try(self, host: str, seconds: float) -> datetime | None:
        now = self._clock()
        until = now + timedelta(seconds=seconds)
        with self._database.write() as session:
            return until if take_turn(session, host, now, until=until) else None

    def _end(self, host: str, until: datetime, gap_seconds: float) -> None:
        with self._database.write() as session:
            end_turn(session, host, until, rested_at=self._clock() + timedelta(seconds=gap_seconds))
