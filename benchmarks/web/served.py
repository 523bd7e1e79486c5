"""The installation that is measured, and the process of its own in which it is served."""

from __future__ import annotations

import multiprocessing
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path

import filling
import uvicorn

from monitor.app import App
from monitor.core.roles import Role
from monitor.runners.assemble import make_app
from monitor.settings import load_settings
from monitor.staff.people import add_staff
from monitor.staff.sign_in import Opened, sign_in
from monitor.store.migrate import newest_version
from monitor.store.tables import KeptRow, SignInRow
from monitor.web.app import create_web

_STAFF = "bench@example.org"


def open_app(folder: Path) -> App:
    """The installation of a folder, for ever at the time of its newest item."""
    settings = load_settings(
        {"MONITOR_DATA_DIR": str(folder), "MONITOR_LOG_LEVEL": "error", "MONITOR_REQUESTS_PER_MINUTE": "1000000"}
    )
    return replace(make_app(settings), clock=lambda: filling.END)


def filled(folder: Path, *, items: int, matches: int, watches: int) -> Path:
    """The folder of an installation of this size; it is filled where no run with this schema has done so."""
    made_of = f"{newest_version()} {items} {matches} {watches}".encode() + Path(filling.__file__).read_bytes()
    wanted = folder / sha256(made_of).hexdigest()[:12]
    for other in folder.glob("*"):
        if other != wanted:
            shutil.rmtree(other)
    app = open_app(wanted)
    with app.database.read() as session:
        done = session.get(KeptRow, filling.FILLED)
    if done is None:
        filling.fill(app.database, items=items, matches=matches, watches=watches)
    app.database.close()
    return wanted


def session_cookie(app: App) -> str:
    """The cookie of an operator who has just signed in."""
    now = app.clock()
    with app.database.write() as session:
        add_staff(session, _STAFF, Role.OPERATOR, actor="bench", now=now)
        row = SignInRow(address=_STAFF, requested_at=now, expires_at=now + timedelta(minutes=1))
        opened = sign_in(session, row, address="", device="", now=now)
    if not isinstance(opened, Opened):
        raise TypeError(f"signing in came to {opened}")
    return f"session={opened.token}"


@dataclass(frozen=True, slots=True)
class Site:
    """A running site: its port and its process."""

    port: int
    process: int

    def processor_time(self) -> float:
        """The seconds of processor time, user and system, that its process has taken so far."""
        threads = Path(f"/proc/{self.process}/task").glob("*/schedstat")
        return sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Serve an installation from a process of its own while the block runs."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(folder, there))
    process.start()
    there.close()  # what the child holds is then the only end: if it dies, nobody waits for it
    try:
        yield Site(here.recv(), process.pid or 0)
    finally:
        process.terminate()
        process.join()


def _serve(folder: Path, parent: Connection) -> None:
    web = create_web(open_app(folder))
    with socket.create_server(("127.0.0.1", 0), backlog=100) as door:
        parent.send(door.getsockname()[1])
        uvicorn.Server(uvicorn.Config(web, log_config=None, access_log=False)).run(sockets=[door])
