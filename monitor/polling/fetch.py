"""The one guarded fetcher: everything that the service reads from the network comes through here.

It asks politely (conditional requests, one at a time per host, an honest name), it refuses to be led astray (every
hop's address is checked at connect), it is never held up or filled up (a deadline, caps on bytes), and it answers
with values: ``Fetched``, ``NotModified`` or ``Failed``. Nothing partial is ever returned.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from monitor.clock import utc_now
from monitor.polling.addresses import AddressRefusedError, allowed_addresses, check_url, guarded_socket
from monitor.polling.decoding import (
    ACCEPT_ENCODING,
    BadEncodingError,
    BodyDecoder,
    BodyTooLargeError,
    body_coding,
)
from monitor.polling.limits import FetchLimits
from monitor.polling.lookup import Resolve, SystemLookup
from monitor.polling.manners import freshness, parse_links, printable, request_headers
from monitor.polling.outcomes import Failed, FailureKind, Fetched, NotModified, Outcome
from monitor.polling.redirects import REDIRECTS, Trail
from monitor.polling.statuses import failure_of, failure_of_empty_body, refusal_of_form
from monitor.polling.turns import HostTurns
from monitor.texts import marked as _

__all__ = ["FEED", "PAGE", "Failed", "FailureKind", "FetchLimits", "Fetched", "Fetcher", "NotModified", "Outcome"]

FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"
"""What to ask for (``Accept``) when the address is a feed's or a page's."""

_LONGEST_LINE = 32 * 1024  # Content-Security-Policy passes aiohttp's 8 KB on real sites
_LONGEST_CAUSE = 200


@dataclass(slots=True)
class _Visit:
    """One visit: what is asked, where it stands, and the seconds that it has spent on the network."""

    url: str
    headers: dict[str, str]
    trail: Trail
    seconds: float = 0.0
    started: float = 0.0

    def start(self) -> None:
        """Count from here, on top of the hops before."""
        self.started = monotonic() - self.seconds

    def stop(self) -> None:
        """Stop counting while the next host's turn is awaited."""
        self.seconds = monotonic() - self.started


class Fetcher:
    """Visits addresses; an async context manager that holds one pool of connections.

    It keeps no cookies, uses no proxy, and never raises for what a site or a network does. There should be one in
    a process, since it is what knows when a host was last asked.

    Args:
        limits: What a visit may cost.
        clock: Gives the aware time against which dates in headers are read.
        resolve: Stands in for the system's name look-up; its answers are checked all the same.
        tls: Stands in for the system's trusted authorities.
    """

    def __init__(
        self,
        limits: FetchLimits | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits or FetchLimits()
        self._clock, self._tls = clock, tls
        self._system = SystemLookup()
        self._resolve = resolve or self._system
        self._turns = HostTurns()

    async def __aenter__(self) -> Self:
        limits = self.limits
        connector = _TidyConnector(
            limit=0,  # whoever calls decides how many visits run at once
            resolver=_GuardedResolver(limits, self._resolve),
            use_dns_cache=False,  # a kept connection needs no look-up, and a new one deserves a new answer
            socket_factory=partial(guarded_socket, allow_loopback=limits.allow_loopback),
            ssl=self._tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": limits.user_agent, "Accept-Encoding": ACCEPT_ENCODING},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_seconds),
            auto_decompress=False,
            trust_env=False,  # a proxy would connect for us, and past the address check
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        self._system.close()

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = FEED,
        crawl_delay: float = 0.0,
    ) -> Outcome:
        """Visit an address, each time its host's turn has come, and follow where it leads.

        Args:
            url: The address, as stored or as somebody typed it.
            etag: The validator that the last visit gave.
            last_modified: The other validator that the last visit gave.
            accept: ``FEED`` or ``PAGE``.
            crawl_delay: The pause that the site's robots.txt asks for, in seconds; 60 at most are kept.
        """
        target = check_url(url, allow_loopback=self.limits.allow_loopback)
        if isinstance(target, Failed):
            return target
        visit = _Visit(url, request_headers(accept, etag, last_modified), Trail(target))
        gap = max(self.limits.host_gap_seconds, crawl_delay)
        while True:
            async with self._turns.take(visit.trail.at.raw_host or "", gap):
                visit.start()
                outcome = await self._attempt(visit)
                visit.stop()
            if isinstance(outcome, Failed):
                return replace(outcome, duration_seconds=visit.seconds)
            if outcome is not None:
                return outcome

    async def post(self, url: str, form: Mapping[str, str]) -> Failed | None:
        """Send a form to an address, when its host's turn has come; None where it was accepted.

        It is followed nowhere: whom a redirect leads to was not meant to get what stands in it.
        """
        target = check_url(url, allow_loopback=self.limits.allow_loopback)
        if isinstance(target, Failed):
            return target
        async with self._turns.take(target.raw_host or "", self.limits.host_gap_seconds):
            try:
                async with (
                    asyncio.timeout(self.limits.total_seconds),
                    self._session.post(target, data=dict(form), allow_redirects=False) as response,
                ):
                    return refusal_of_form(response.status, response.headers, self._clock())
            except (aiohttp.ClientError, OSError) as error:
                return _translated(error)

    async def hand_over(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | Failed:
        """Hand a body over to somebody's program, under the same guard as a visit; redirects are not followed.

        No turn is waited for: whoever gives us the address of a program wants to be told at once.

        Returns:
            The status of the answer, of which nothing else is read; or why there was none.
        """
        target = check_url(url, allow_loopback=self.limits.allow_loopback)
        if isinstance(target, Failed):
            return target
        try:
            async with (
                asyncio.timeout(self.limits.total_seconds),
                self._session.post(target, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return response.status
        except (aiohttp.ClientError, OSError) as error:
            return _translated(error)

    async def _attempt(self, visit: _Visit) -> Outcome | None:
        """One request; None if it ended in a redirect, which the trail has followed."""
        try:
            async with (
                asyncio.timeout(self.limits.total_seconds - visit.seconds),
                self._session.get(visit.trail.at, headers=visit.headers, allow_redirects=False) as response,
            ):
                return await self._judge(visit, response)
        except BodyTooLargeError as error:
            return Failed(FailureKind.TOO_LARGE, error.args[0])
        except BadEncodingError as error:
            return Failed(FailureKind.BAD_ENCODING, error.args[0])
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            return _translated(error)

    async def _judge(self, visit: _Visit, response: aiohttp.ClientResponse) -> Outcome | None:
        status, headers = response.status, response.headers
        if status == 304 and not visit.headers.keys().isdisjoint(("If-None-Match", "If-Modified-Since")):
            return NotModified(**self._metadata(visit, response))
        if status in REDIRECTS:
            return visit.trail.follow(status, headers.get("Location"), self.limits)
        failed = failure_of(status, headers, self._clock())
        if failed is not None:
            return failed
        body = await self._read(response)
        if not body:
            return failure_of_empty_body(status)
        content_type = printable(headers.get("Content-Type")) or ""
        return Fetched(**self._metadata(visit, response), body=body, content_type=content_type)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        limits = self.limits
        headers = response.headers
        coding = body_coding(headers.getall("Content-Encoding", ()), headers.getall("Transfer-Encoding", ()))
        decoder = BodyDecoder(coding, max_raw=limits.max_raw_bytes, max_decoded=limits.max_decoded_bytes)
        decoder.expect(response.content_length)
        async for chunk in response.content.iter_any():
            decoder.feed(chunk)
        return decoder.finish()

    def _metadata(self, visit: _Visit, response: aiohttp.ClientResponse) -> dict[str, Any]:
        """The fields that every ``Answer`` has; a 304 that repeats no validator leaves the one sent in force."""
        headers, sent, final_url = response.headers, visit.headers, str(visit.trail.at)
        known = sent if response.status == 304 else {}
        cache_control, expires = headers.get("Cache-Control"), headers.get("Expires")
        links = headers.getall("Link", ())
        return {
            "url": visit.url,
            "final_url": final_url,
            "status": response.status,
            "etag": printable(headers.get("ETag")) or known.get("If-None-Match"),
            "last_modified": printable(headers.get("Last-Modified")) or known.get("If-Modified-Since"),
            "fresh_for": freshness(cache_control, expires, headers.get("Age"), headers.get("Date"), self._clock()),
            "permanent_url": visit.trail.permanent_url,
            "links": parse_links(links, final_url) if links else (),
            "duration_seconds": monotonic() - visit.started,
        }


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


_MEANINGS: tuple[tuple[type[BaseException], FailureKind, str], ...] = (
    (AddressRefusedError, FailureKind.REFUSED_ADDRESS, _("the address is not one that may be visited")),
    (ssl.SSLCertVerificationError, FailureKind.TLS, _("the site's certificate is not valid")),
    (ssl.SSLError, FailureKind.TLS, _("no secure connection could be made")),
    (socket.gaierror, FailureKind.DNS, _("the site's name leads to no address")),
    (aiohttp.ClientConnectorDNSError, FailureKind.DNS, _("the site's name leads to no address")),
    (ConnectionRefusedError, FailureKind.REFUSED, _("the site does not accept connections")),
    (TimeoutError, FailureKind.TIMEOUT, _("the site did not answer in full in time")),
    (ConnectionResetError, FailureKind.RESET, _("the connection broke")),
    (aiohttp.ClientPayloadError, FailureKind.RESET, _("the connection ended before the whole answer had come")),
    (aiohttp.ServerDisconnectedError, FailureKind.RESET, _("the site hung up without an answer")),
    (aiohttp.ClientConnectorError, FailureKind.REFUSED, _("no connection to the site could be made")),
    (aiohttp.ClientOSError, FailureKind.RESET, _("the connection broke")),
    (aiohttp.ClientError, FailureKind.BAD_HTTP, _("the site's answer is not proper HTTP")),
    (OSError, FailureKind.REFUSED, _("no connection to the site could be made")),
)
"""What an error stands for; the first line that fits any link of its chain of causes counts, since aiohttp wraps
what matters: a refused address looks like a failed name look-up, an expired certificate like a failed connect."""


def _translated(error: aiohttp.ClientError | OSError) -> Failed:
    chain = list(_causes(error))[::-1]
    found, kind, words = next(
        (link, kind, words) for fits, kind, words in _MEANINGS for link in chain if isinstance(link, fits)
    )
    clipped = " ".join(_said(found).split())[:_LONGEST_CAUSE]
    return Failed(kind, _("%(problem)s (%(cause)s)", problem=words, cause=clipped) if clipped else words)


def _said(error: BaseException) -> str:
    """An error's own words, without the address that aiohttp repeats in them: it may hold a secret."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message
    return str(getattr(error, "verify_message", error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
