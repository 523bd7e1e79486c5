"""Name look-up on threads of its own, with a time limit.

``getaddrinfo`` blocks, up to half a minute for a name whose servers are dead, and cannot be cancelled. The event
loop's default pool has six threads on two cores: six dead names would hold up every other source.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Gives a host name's IP addresses; raises ``OSError`` if there are none."""

_THREADS = 32


class SystemLookup:
    """The system's own name look-up."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="name-lookup")

    async def __call__(self, host: str) -> Sequence[str]:
        """The IP addresses of ``host``, in the system's order of preference.

        Raises:
            OSError: The name has none.
        """
        look = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def close(self) -> None:
        """Let go of the threads, without waiting for those that are stuck."""
        self._threads.shutdown(wait=False, cancel_futures=True)
