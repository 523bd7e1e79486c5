"""The one guarded fetcher: everything that the service reads from the network comes through here.

It asks politely (conditional requests, one at a time per host, an honest name), it refuses to be led astray (every
hop's address is checked at connect), it is never held up or filled up (a deadline, caps on bytes), and it answers
with values: ``Fetched``, ``NotModified`` or ``Failed``. Nothing partial is ever returned.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from monitor.clock import utc_now
from monitor.polling.addresses import check_url
from monitor.polling.connecting import guarded_connector
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
from monitor.polling.mishaps import failure_of_error
from monitor.polling.outcomes import Failed, FailureKind, Fetched, NotModified, Outcome
from monitor.polling.redirects import REDIRECTS, Trail
from monitor.polling.shared_turns import SharedTurns
from monitor.polling.statuses import failure_of, failure_of_empty_body, refusal_of_form
from monitor.polling.turns import HostTurns
from monitor.texts import marked as _

__all__ = ["FEED", "PAGE", "Failed", "FailureKind", "FetchLimits", "Fetched", "Fetcher", "NotModified", "Outcome"]

FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"
"""What to ask for (``Accept``) when the address is a feed's or a page's."""

_LONGEST_LINE = 32 * 1024  # Content-Security-Policy passes aiohttp's 8 KB on real sites

_TURN_MARGIN = 10.0
_BUSY = Failed(
    FailureKind.BUSY,
    _("this service is at the host already; it is asked for one thing at a time"),
    retry_after=timedelta(minutes=1),
)


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

    It keeps no cookies, uses no proxy, and never raises for what a site or a network does.

    Args:
        limits: What a visit may cost.
        clock: Gives the aware time against which dates in headers are read.
        resolve: Stands in for the system's name look-up; its answers are checked all the same.
        tls: Stands in for the system's trusted authorities.
        shared: The turns that all fetchers share; without them this one knows of itself alone.
    """

    def __init__(
        self,
        limits: FetchLimits | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        shared: SharedTurns | None = None,
    ) -> None:
        self.limits = limits or FetchLimits()
        self._clock, self._tls = clock, tls
        self._system = SystemLookup()
        self._resolve = resolve or self._system
        self._turns, self._shared = HostTurns(), shared
        self._held: frozenset[str] = frozenset()

    async def __aenter__(self) -> Self:
        limits = self.limits
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(limits, self._resolve, self._tls),
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

    def hold(self, hosts: Iterable[str]) -> None:
        """Ask these hosts without shared turns: whoever uses this fetcher has claimed their sources."""
        self._held |= frozenset(hosts)

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
            async with self._turn(visit.trail.at, gap) as ours:
                visit.start()
                outcome = await self._attempt(visit) if ours else _BUSY
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
        async with self._turn(target, self.limits.host_gap_seconds) as ours:
            if not ours:
                return _BUSY
            try:
                async with (
                    asyncio.timeout(self.limits.total_seconds),
                    self._session.post(target, data=dict(form), allow_redirects=False) as response,
                ):
                    return refusal_of_form(response.status, response.headers, self._clock())
            except (aiohttp.ClientError, OSError) as error:
                return failure_of_error(error)

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
            return failure_of_error(error)

    @asynccontextmanager
    async def _turn(self, url: URL, gap: float) -> AsyncIterator[bool]:
        """The turn at a host; gives whether it came in time."""
        host = url.raw_host or ""
        async with self._turns.take(host, gap):
            if self._shared is None or host in self._held:
                yield True
            else:
                longest = self.limits.total_seconds + _TURN_MARGIN
                async with self._shared.take(host, gap_seconds=gap, longest_seconds=longest) as taken:
                    yield taken

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
            return failure_of_error(error)

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
