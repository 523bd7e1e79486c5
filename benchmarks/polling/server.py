"""The site of the benchmark, in a process of its own: many hosts on loopback, 20 feeds on each.

Usage: server.py FOLDER HOSTS. It writes ``ca.pem`` and ``ports.json`` into FOLDER and tells on standard output when it
is ready. Each line of JSON on standard input sets what it shows: ``{"every": 20, "add": 1}`` gives each 20th feed
another entry, ``{"validators": false}`` leaves ETag, Last-Modified and 304 away. It answers each with its counters.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import trustme
from feeds import feed

FEEDS_ON_HOST = 20
_LAST_MODIFIED = "Fri, 20 Nov 2026 12:00:00 GMT"


def host(number: int) -> str:
    """The address of the host that has a feed."""
    index = number // FEEDS_ON_HOST
    return f"127.0.{index // 250}.{1 + index % 250}"


class _Site:
    def __init__(self) -> None:
        self.validators = True
        self.revisions: Counter[int] = Counter()
        self.counters: Counter[str] = Counter()

    def answer(self, target: str, headers: str) -> bytes:
        number = int(target.rpartition("/")[2])
        revision = self.revisions[number]
        etag = f'"{number}-{revision}"'
        self.counters["requests"] += 1
        validators = f"ETag: {etag}\r\nLast-Modified: {_LAST_MODIFIED}\r\n" if self.validators else ""
        if self.validators and f"if-none-match: {etag}\r\n" in headers:
            self.counters["304"] += 1
            return f"HTTP/1.1 304 Not Modified\r\n{validators}\r\n".encode()
        body = feed(number, revision)
        return (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/xml; charset=utf-8\r\n{validators}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, site: _Site) -> None:
        self._site, self._head = site, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._site.counters["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self._head += data
        while b"\r\n\r\n" in self._head:
            head, _, self._head = self._head.partition(b"\r\n\r\n")
            first, _, headers = head.decode("latin-1").partition("\r\n")
            lowered = "".join(
                f"{name.lower()}: {value.strip()}\r\n"
                for name, _, value in (line.partition(":") for line in headers.split("\r\n"))
            )
            self._transport.write(self._site.answer(first.split(" ")[1], lowered))


async def _serve(folder: Path, hosts: int) -> None:
    loop, site = asyncio.get_running_loop(), _Site()
    names = [host(index * FEEDS_ON_HOST) for index in range(hosts)]
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(tls)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    ports = {}
    for scheme, context in (("http", None), ("https", tls)):
        first = await loop.create_server(lambda: _Connection(site), names[0], 0, ssl=context)
        ports[scheme] = first.sockets[0].getsockname()[1]
        if names[1:]:
            await loop.create_server(lambda: _Connection(site), names[1:], ports[scheme], ssl=context)
    (folder / "ports.json").write_text(json.dumps(ports))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        site.validators = asked.get("validators", site.validators)
        for number in range(0, hosts * FEEDS_ON_HOST, asked.get("every", 1)):
            site.revisions[number] += asked.get("add", 0)
        print(json.dumps(site.counters), flush=True)
        site.counters.clear()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
