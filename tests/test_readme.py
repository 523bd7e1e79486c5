"""The README keeps its word: each of its commands runs, in a copy of the tree in another folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVING = ("make demo", "make run")
"""Commands that run until they are stopped."""

SESSION = """
import shlex, sys
sys.path.insert(0, sys.argv[1])
from monitor.cli import main
for line in sys.stdin.read().splitlines():
    print("$", line, flush=True)
    sys.argv = shlex.split(line)
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""
NEWS = """<rss version="2.0"><channel><title>News</title><item><guid>{0}</guid><link>{0}</link>
<title>NORAD tracks a balloon over the Arctic</title><description>NORAD and its over-the-horizon radar in Canada.
</description></item></channel></rss>"""


def commands() -> list[str]:
    """The lines of the README's shell blocks, in order, without their remarks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = (shlex.split(line, comments=True) for block in blocks for line in block.splitlines())
    return [shlex.join(words) for words in lines if words]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with a virtual environment that borrows the libraries of this one: no network is needed."""
    folder = tmp_path_factory.mktemp("elsewhere") / "roadmap-monitor"
    for name in ("monitor", "config", "templates", "requirements"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    bin_ = folder / ".venv" / "bin"
    bin_.mkdir(parents=True)
    (bin_ / "python").symlink_to(sys.executable)
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from monitor.cli import main; main()"
    (bin_ / "monitor").write_text(f'#!/bin/sh\nexec {sys.executable} -P -c "{start}" {folder} "$@"\n')
    (bin_ / "monitor").chmod(0o755)
    (folder / ".venv" / ".run").touch()
    return folder


@pytest.fixture
def shell(
    checkout: Path, environment: dict[str, str], serve: Callable[[Callable[[str, str], str]], str], free_port: int
) -> dict[str, str]:
    """The environment of the README's reader; the shipped sources are answered by this machine."""
    feed = serve(lambda base, path: NEWS.format(base + path))
    sources = checkout / "config" / "sources.toml"
    numbers = iter(range(10_000))
    here = re.sub(r'^url = ".*"', lambda _: f'url = "{feed}/{next(numbers)}"', sources.read_text(), flags=re.MULTILINE)
    sources.write_text(here)
    return environment | {
        "PATH": f"{checkout / '.venv' / 'bin'}:{os.environ['PATH']}",
        "MONITOR_PORT": str(free_port),
        "MONITOR_PUBLIC_URL": f"http://127.0.0.1:{free_port}",
        "MONITOR_POLL_HOST_GAP_SECONDS": "0",
        "MONITOR_LOG_LEVEL": "error",
    }


def test_it_is_short_and_its_commands_are_found() -> None:
    assert len(README.splitlines()) < 200
    assert set(SERVING) <= set(commands())
    assert len(commands()) > 8


def test_its_numbers_are_those_of_the_shipped_files() -> None:
    told = {name: int(number) for number, name in re.findall(r"(\d+) (sources|topics)", README)}
    shipped = {name: (ROOT / "config" / f"{name}.toml").read_text().count(f"\n[[{name}]]") for name in told}
    assert told == shipped


@pytest.mark.timeout(300)
def test_each_command_runs_in_the_order_in_which_it_is_read(checkout: Path, shell: dict[str, str]) -> None:
    for command in SERVING:
        answer, printed = visit(command, checkout, shell)
        assert answer == 200, printed
    others = [command for command in commands() if command not in SERVING]
    said = run(others, checkout, shell)
    assert list(said) == others
    assert [command for command in others if not said[command].strip()] == []


def run(lines: list[str], folder: Path, shell: dict[str, str]) -> dict[str, str]:
    """What each ``monitor`` command says. One process runs them all, since starting one takes seconds."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", SESSION, str(folder)],
        input="\n".join(lines),
        cwd=folder,
        env=shell,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.split(r"^\$ (.*)\n", done.stdout, flags=re.MULTILINE)[1:]
    return dict(zip(said[::2], said[1::2], strict=True))


def visit(command: str, folder: Path, shell: dict[str, str]) -> tuple[int, str]:
    """Start a service, look at its first page and press Ctrl-C; the page's status and what was printed."""
    service = subprocess.Popen(
        shlex.split(command),
        cwd=folder,
        env=shell,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert service.stdout
    guard = threading.Timer(60, os.killpg, (service.pid, signal.SIGKILL))
    guard.start()
    printed = []
    try:
        for line in service.stdout:
            printed.append(line)
            if address := re.search(r"runs at (http://127\.0\.0\.1:\d+)", line):
                return answer(address[1]), "".join(printed)
        return 0, "".join(printed)
    finally:
        os.killpg(service.pid, signal.SIGINT)
        service.communicate(timeout=30)
        guard.cancel()


def answer(address: str) -> int:
    """The status of a page of a service that says it is there a moment before it is."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=6)) as client:
        return client.get(address).status_code
