"""CPU time per feed of polling, beside lemon24/reader on the same loopback server and in the same run.

Both visit every feed six times: for the first time, unchanged (304), with a new entry in one feed of twenty, with a
new entry in each feed, unchanged over HTTPS, and unchanged at a site that sends no validators. What is measured is the
CPU time of the whole process of each contender, user and system, all its threads, with everything that it writes to its
SQLite file. They run one after the other, never at once; both must end with the same number of items, or there is no
figure.

The two visits in which reader parses each feed once more take most of the time; ``--light`` leaves them away.

Usage: run.py [--feeds 1000 5000] [--light]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

from feeds import ENTRIES
from server import FEEDS_ON_HOST
from targets import Target, tell_targets

FOLDER = Path(__file__).parent
CONTENDERS = ("monitor", "reader")


@dataclass(frozen=True)
class Visit:
    """A round of visits: what the site is told before it, how many feeds get an entry, and the ratio to reach.

    ``heavy`` are those that ``--light`` leaves away; from one ``over_https`` on, the feeds are visited so.
    """

    name: str
    site: Mapping[str, Any]
    changed: float
    most: float | None
    heavy: bool = False
    over_https: bool = False


VISITS = (
    Visit("first visit", {}, 0, 1 / 4),
    Visit("unchanged (304)", {}, 0, 1 / 5),
    Visit("5 % changed", {"every": 20, "add": 1}, 0.05, None),
    Visit("one new entry in each", {"every": 1, "add": 1}, 1, 1 / 10, heavy=True),
    Visit("unchanged (304), HTTPS", {}, 0, 1 / 5, over_https=True),
    Visit("same body, no validators, HTTPS", {"validators": False}, 0, 1 / 20, heavy=True),
)


class Program:
    """A process that answers each line with a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._expect("ready")

    def ask(self, line: str = "") -> dict[str, Any]:
        """Send a line and read the answer, which is JSON."""
        if self._process.stdin is None:
            raise RuntimeError("the process has no standard input")
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def _expect(self, word: str) -> None:
        if (line := self._line().strip()) != word:
            raise RuntimeError(f"the process said {line!r} instead of {word!r}")

    def _line(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"a process of the benchmark ended with code {self._process.wait()}")
        return line


def main() -> None:
    options = _options()
    print("CPU milliseconds per feed, whole process\n")
    print("| feeds | visit | monitor | reader | ratio | at most | |")
    print("|--:|--|--:|--:|--:|--:|--|")
    visits = [visit for visit in VISITS if not (options.light and visit.heavy)]
    targets = []
    for feeds in options.feeds:
        for visit, spent in compare(feeds, visits):
            print(_row(feeds, visit, spent), flush=True)
            if visit.most:
                name = f"{feeds:,} feeds, {visit.name}: of reader's processor time"
                targets.append(Target(name, spent["monitor"] / spent["reader"], visit.most, most=True))
    tell_targets(targets)


def compare(feeds: int, visits: Sequence[Visit]) -> Iterator[tuple[Visit, dict[str, float]]]:
    """Let both contenders make all visits; yields the CPU seconds of each for every visit."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, items = Path(name), ENTRIES * feeds
        site = stack.enter_context(_running("server.py", folder, feeds // FEEDS_ON_HOST))
        contenders = {
            contender: stack.enter_context(_running("contender.py", contender, folder, feeds))
            for contender in CONTENDERS
        }
        for visit in visits:
            items += int(visit.changed * feeds)
            site.ask(json.dumps(visit.site))
            spent = {}
            for contender, program in contenders.items():
                found = program.ask("https" if visit.over_https else "")
                _check(contender, visit, found, site.ask("{}"), items=items, feeds=feeds)
                spent[contender] = found["cpu"]
            yield visit, spent


def _check(
    contender: str, visit: Visit, found: Mapping[str, Any], served: Mapping[str, int], *, items: int, feeds: int
) -> None:
    """No figure without the work: each feed asked for once, and every entry stored."""
    asked = served.get("requests", 0)
    if found["items"] != items or asked != feeds:
        raise RuntimeError(f"{contender}, {visit.name}: {found}, {asked} requests; {items} items were to be there")


@contextmanager
def _running(script: str, *arguments: object) -> Iterator[Program]:
    command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Program(process)
    finally:
        process.kill()
        process.wait()


def _row(feeds: int, visit: Visit, spent: Mapping[str, float]) -> str:
    ours, theirs = (1000 * spent[contender] / feeds for contender in CONTENDERS)
    ratio = ours / theirs
    most, met = (f"1/{1 / visit.most:.0f}", "met" if ratio <= visit.most else "missed") if visit.most else ("", "")
    return f"| {feeds:,} | {visit.name} | {ours:.2f} | {theirs:.2f} | 1/{1 / ratio:.1f} | {most} | {met} |"


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, nargs="+", default=[1000, 5000], help="multiples of 20")
    parser.add_argument("--light", action="store_true", help="without the visits that take most of the time")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
