"""How connections come about: only to addresses that may be visited, and never one that was left untidy."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from monitor.polling.addresses import allowed_addresses, guarded_socket
from monitor.polling.limits import FetchLimits
from monitor.polling.lookup import Resolve


def guarded_connector(limits: FetchLimits, resolve: Resolve, tls: ssl.SSLContext | None) -> aiohttp.BaseConnector:
    """A pool of connections, each of which is made under guard.

    Args:
        limits: What a visit may cost, and whether this machine may be visited.
        resolve: Looks names up; its answers are checked.
        tls: Stands in for the system's trusted authorities.
    """
    return _TidyConnector(
        limit=0,  # whoever calls decides how many visits run at once
        resolver=_GuardedResolver(limits, resolve),
        use_dns_cache=False,  # a kept connection needs no look-up, and a new one deserves a new answer
        socket_factory=partial(guarded_socket, allow_loopback=limits.allow_loopback),
        ssl=tls or True,
    )


class _TidyConnector(aiohttp.TCPConnector):
    """Never reuses a connection on which bytes came unasked: aiohttp would take them for the next answer.

    Seen with 3.14.5 (its issue 13656): a second answer sent after the first became that of another page.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        if connection.protocol is not None and connection.protocol.should_close:
            connection.close()
            connection = await super().connect(req, traces, timeout)
        return connection


class _GuardedResolver(AbstractResolver):
    """Gives aiohttp only addresses that may be visited; an address written out never comes here."""

    def __init__(self, limits: FetchLimits, resolve: Resolve) -> None:
        self._limits, self._resolve = limits, resolve

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the interface's; both are asked for
    ) -> list[ResolveResult]:
        try:
            async with asyncio.timeout(self._limits.lookup_seconds):
                found = await self._resolve(host)
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answered in time") from None
        allowed = allowed_addresses(host, found, allow_loopback=self._limits.allow_loopback)
        return [_resolved(host, address, port) for address in allowed]

    async def close(self) -> None:
        """Nothing to let go: the look-up belongs to the fetcher."""


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
