"""One request at a time per host, with a pause between two: no site is burdened, however many sources it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LONGEST_GAP_SECONDS = 60.0
"""The longest pause between two requests that is kept, whoever asks for it; a poll in an hour has passed any."""

_PRUNE_ABOVE = 4096


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    last_end: float = float("-inf")


class HostTurns:
    """Hands out turns, first come, first served, within one process.

    The pause runs from the end of one request to the start of the next.
    """

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}
        self._prune_above = _PRUNE_ABOVE

    @asynccontextmanager
    async def take(self, host: str, gap_seconds: float) -> AsyncIterator[None]:
        """Wait until nobody else talks to ``host`` and it has rested, then hold the turn.

        Args:
            host: The host, as a name or an address, in lower case.
            gap_seconds: How long it must have rested; 60 at most are kept.
        """
        turn = self._turns.get(host) or self._begin(host)
        turn.waiting += 1
        try:
            async with turn.lock:
                await _rest(turn.last_end + min(gap_seconds, LONGEST_GAP_SECONDS))
                try:
                    yield
                finally:
                    turn.last_end = asyncio.get_running_loop().time()
        finally:
            turn.waiting -= 1

    def _begin(self, host: str) -> _Turn:
        if len(self._turns) >= self._prune_above:
            self._prune()
        turn = self._turns[host] = _Turn()
        return turn

    def _prune(self) -> None:
        """Forget the hosts that nobody waits for and that have rested as long as anyone may ask."""
        rested = asyncio.get_running_loop().time() - LONGEST_GAP_SECONDS
        self._turns = {host: turn for host, turn in self._turns.items() if turn.waiting or turn.last_end > rested}
        self._prune_above = max(_PRUNE_ABOVE, 2 * len(self._turns))


async def _rest(until: float) -> None:
    left = until - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)
