"""A server that misbehaves on purpose, byte by byte, on loopback; shared by the tests of this folder.

A test says what happens on the wire as a script of plain values:

- ``bytes`` are sent as they are;
- a mapping is sent as a proper answer: ``{"status": 301, "Location": "/next", "body": b"…"}``;
- a number is a pause in seconds;
- ``"reset"`` breaks the connection with RST, ``"close"`` ends it, ``"hang"`` falls silent.

Several scripts for a path are played in turn, the last one for ever. The server runs on a thread of its own, so that
any test may use it, async or not.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from monitor import event_loop
from monitor.polling.fetch import Fetcher, FetchLimits, Outcome

TLS_HANDSHAKE = b"\x16"

Step = bytes | float | str | Mapping[str, Any]
Script = list[Step]
Answerer = Callable[["Request"], Script]


@dataclass(frozen=True)
class Request:
    """What a client sent; header names are in lower case, ``at`` is in seconds on a steady clock."""

    method: str
    target: str
    headers: Mapping[str, str]
    at: float
    connection: int


class FaultServer:
    """Plays scripts; ``url`` gives addresses, the counters say what happened so far."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.bytes_sent = 0
        self.most_open_requests = 0
        self._open_requests = 0
        self._scripts: dict[str, list[Script] | Answerer] = {}
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(5)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """The address of a path on this server."""
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def play(self, path: str, *scripts: Script) -> str:
        """Play scripts at a path, and give its address."""
        self._scripts[path] = list(scripts)
        return self.url(path)

    def answer_with(self, path: str, answerer: Answerer) -> str:
        """Let a function of the request choose the script, and give the path's address."""
        self._scripts[path] = answerer
        return self.url(path)

    def stop(self) -> None:
        """Break all connections and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls))
        self.port: int = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while request := await self._read_request(reader, number):
                self.requests.append(request)
                if not await self._answer(request, writer):
                    break
        except ConnectionAbortedError:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _read_request(self, reader: asyncio.StreamReader, number: int) -> Request | None:
        try:
            head = await reader.readexactly(1)
            if head == TLS_HANDSHAKE:
                raise ConnectionAbortedError("a client speaks TLS to a plain server")
            head += await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        return Request(method, target, headers, self._loop.time(), number)

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        self._open_requests += 1
        self.most_open_requests = max(self.most_open_requests, self._open_requests)
        try:
            return await self._perform(self._script_for(request), writer)
        finally:
            self._open_requests -= 1

    def _script_for(self, request: Request) -> Script:
        scripts = self._scripts.get(request.target, [[{"status": 404}]])
        if callable(scripts):
            return scripts(request)
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]

    async def _perform(self, script: Script, writer: asyncio.StreamWriter) -> bool:
        for step in script:
            if isinstance(step, Mapping):
                await self._send(_proper(step), writer)
            elif isinstance(step, bytes):
                await self._send(step, writer)
            elif isinstance(step, int | float):
                await asyncio.sleep(step)
            elif step == "hang":
                await asyncio.sleep(3600)
            else:
                if step == "reset":
                    _reset(writer)
                return False
        return True

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(data), 65536):
            writer.write(data[start : start + 65536])
            await writer.drain()
            self.bytes_sent += len(data[start : start + 65536])


def _proper(answer: Mapping[str, Any]) -> bytes:
    body: bytes = answer.get("body", b"")
    status = answer.get("status", 200)
    headers = {name: value for name, value in answer.items() if name not in {"status", "body"}}
    if status not in {204, 304}:
        headers.setdefault("Content-Length", len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Zero linger: the kernel sends RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    """A plain HTTP server that misbehaves as told."""
    server = FaultServer()
    yield server
    server.stop()


@pytest.fixture
def secure_faults() -> Iterator[Callable[[ssl.SSLContext], FaultServer]]:
    """Starts HTTPS servers that misbehave as told."""
    servers: list[FaultServer] = []

    def start(tls: ssl.SSLContext) -> FaultServer:
        servers.append(FaultServer(tls))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests' own."""

    ca: trustme.CA

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this authority."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return context

    def serving(self, name: str, *, expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for ``name``."""
        until = datetime.now(UTC) - timedelta(days=1) if expired else None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name, not_after=until).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority(trustme.CA())


@pytest.fixture(scope="session")
def stranger() -> Authority:
    """An authority that nobody trusts."""
    return Authority(trustme.CA())


async def everything_is_here(host: str) -> list[str]:
    """Any name leads to this machine."""
    return ["127.0.0.1"]


@pytest.fixture
def new_fetcher() -> Callable[..., Fetcher]:
    """Makes fetchers that may visit this machine without pause; limits and parts by keyword."""

    def make(
        *, resolve: Any = everything_is_here, tls: Any = None, clock: Any = None, shared: Any = None, **limits: Any
    ) -> Fetcher:
        limits = {"allow_loopback": True, "host_gap_seconds": 0.0, "total_seconds": 5.0} | limits
        parts = {"resolve": resolve, "tls": tls, "shared": shared} | ({"clock": clock} if clock else {})
        return Fetcher(FetchLimits(**limits), **parts)

    return make


@pytest.fixture
def fetch(new_fetcher: Callable[..., Fetcher]) -> Callable[..., Outcome]:
    """Visits one address with a fetcher of its own: ``fetch(url, etag=…, fetcher={"total_seconds": 1})``."""

    def visit(url: str, *, fetcher: Mapping[str, Any] | None = None, **asked: Any) -> Outcome:
        async def once() -> Outcome:
            async with new_fetcher(**(fetcher or {})) as made:
                return await made.get(url, **asked)

        return event_loop.run(once())

    return visit
