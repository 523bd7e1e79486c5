"""Items a second that a watchlist of 50 to 100,000 watches reads, beside what one would use without it.

The watches are of five kinds in equal parts (phrase, AND, OR, NOT, near), made of words of real items. The contenders
read the same items in turns, round after round, on one core; the median counts. Time is the processor's, so that a
busy machine does not count. Compiling the watches is not timed, and the words of a first, other set of items are
read beforehand, as a service that has run for an hour has read them.

- ``monitor-500``, ``-50``, ``-1``: the service, so many items at once, normalised and stemmed.
- ``fts5-500``, ``fts5-50``: SQLite FTS5 with ``porter``: so many items at once, every query against each.
- ``tantivy``: the same with 500 items and its English stemmer.
- ``regex``: a compiled regular expression for each part of each watch; no stems.
- ``literals``: one pass of an Aho-Corasick automaton for all parts; it answers no query. The floor.

Usage: run.py [--releases FILE] [--watches 50,1000,10000,100000] [--rounds 3] [--items 4000] [--json FILE]

The four targets of the project are judged at the end; a missed one is printed, not raised.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

from engines import Engine, Fts5, Literals, Monitor, Regex, Tantivy, words_of
from items import load_items
from targets import Target, tell_targets
from watches import Asked, make_asked

from monitor.core.languages import Language
from monitor.core.nouns import Document

RELEASES = Path(__file__).parents[3] / "shared" / "corpus" / "releases" / "whitehouse.jsonl.gz"
WARM_UP = 4_000
SECONDS = 3.0  # of one contender in one round; what is slower reads fewer items, but one batch at least

MAKERS: dict[str, Callable[[Sequence[Asked]], Engine]] = {
    "monitor": lambda asked: Monitor(asked, Language.EN),
    "fts5": lambda asked: Fts5(asked, "porter unicode61"),
    "tantivy": lambda asked: Tantivy(asked, "en_stem"),
    "regex": Regex,
    "literals": Literals,
}
CONTENDERS: dict[str, tuple[str, int]] = {
    "monitor-500": ("monitor", 500),
    "monitor-50": ("monitor", 50),
    "monitor-1": ("monitor", 1),
    "fts5-500": ("fts5", 500),
    "fts5-50": ("fts5", 50),
    "tantivy": ("tantivy", 500),
    "regex": ("regex", 5),
    "literals": ("literals", 500),
}
"""The contenders: what they are made by, and how many items they get at a time."""


def main() -> None:
    options = _options()
    if options.memory:
        print(_grown(options))
        return
    items = load_items(options.releases, WARM_UP + options.items)
    warm_up, timed = items[:WARM_UP], items[WARM_UP:]
    rows = [_measure(make_asked(items, count), warm_up, timed, options.rounds) for count in options.watches]
    equal = _equal(make_asked(items, 10_000), timed[:500])
    report: dict[str, Any] = {"machine": _machine(), "items": _about(timed), "rows": rows, "equal": equal}
    report["memory_mb"] = {count: _memory(options, count) for count in options.watches}
    report["targets"] = _targets(report)
    _print(report)
    if options.json:
        report["targets"] = [target._asdict() | {"met": target.met} for target in report["targets"]]
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--releases", type=Path, default=RELEASES, help="real releases; text is made up without them")
    parser.add_argument("--watches", type=_counts, default=[50, 1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=4_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _counts(text: str) -> list[int]:
    return [int(count) for count in text.split(",")]


# ---- measuring -----------------------------------------------------------------------------------------------------


def _measure(
    asked: Sequence[Asked], warm_up: Sequence[Document], timed: Sequence[Document], rounds: int
) -> dict[str, Any]:
    """Items a second of each contender for one number of watches."""
    engines = {name: make(asked) for name, make in MAKERS.items()}
    started = time.process_time()
    hits = engines["monitor"].read(warm_up)
    row: dict[str, Any] = {
        "watches": len(asked),
        "first": len(warm_up) / (time.process_time() - started),
        "hits_per_item": len(hits) / len(warm_up),
    }
    found: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, (engine, size) in CONTENDERS.items():
            found[name].append(_items_per_second(engines[engine], timed, size))
            print(f"  {len(asked):>7} {name:>11} {found[name][-1]:>12,.1f} items/s", file=sys.stderr)
    row["items_per_second"] = {name: statistics.median(values) for name, values in found.items()}
    return row


def _items_per_second(engine: Engine, items: Sequence[Document], size: int) -> float:
    spent, done = 0.0, 0
    for start in range(0, len(items), size):
        batch = items[start : start + size]
        began = time.process_time()
        engine.read(batch)
        spent += time.process_time() - began
        done += len(batch)
        if spent > SECONDS:
            break
    return done / spent


def _equal(asked: Sequence[Asked], items: Sequence[Document]) -> dict[str, Any]:
    """How many hits the service and the others have in common, all reading the same unstemmed words."""
    plain = [words_of(item) for item in items]
    ours = Monitor(asked, Language.ANY).read(plain)
    others: dict[str, Engine] = {"fts5": Fts5(asked, "unicode61"), "tantivy": Tantivy(asked, "default")}
    compared: dict[str, Any] = {"watches": len(asked), "items": len(items), "hits": len(ours)}
    for name, engine in others.items():
        theirs = engine.read(plain)
        kinds = sorted({asked[watch].kind for _, watch in ours ^ theirs})
        compared[name] = {"hits": len(theirs), "only_ours": len(ours - theirs), "only_theirs": len(theirs - ours)}
        compared[name]["kinds_that_differ"] = kinds
    return compared


def _memory(options: argparse.Namespace, count: int) -> float:
    """Megabytes that a process grows by when it compiles so many watches and reads the items, in one of its own."""
    command = [sys.executable, __file__, "--memory", str(count), "--releases", str(options.releases)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _grown(options: argparse.Namespace) -> float:
    items = load_items(options.releases, 2 * WARM_UP)
    asked = make_asked(items, options.memory)
    before = _resident()
    service = Monitor(asked, Language.EN)
    service.read(items)
    return _resident() - before


def _resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# ---- telling -------------------------------------------------------------------------------------------------------


def _machine() -> dict[str, str]:
    packages = {name: version(name) for name in ("numpy", "ahocorasick_rs", "tantivy", "PyStemmer")}
    return {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "cores": str(os.cpu_count())} | (
        packages | {"date": time.strftime("%Y-%m-%d")}
    )


def _about(items: Sequence[Document]) -> dict[str, float]:
    texts = [f"{item.title}\n{item.body}" for item in items]
    return {
        "count": len(items),
        "words": sum(len(text.split()) for text in texts) / len(texts),
        "bytes": sum(len(text.encode()) for text in texts) / len(texts),
    }


def _targets(report: dict[str, Any]) -> list[Target]:
    """The four targets, as far as the numbers of watches that they ask for were measured."""
    rates = {row["watches"]: row["items_per_second"] for row in report["rows"]}
    memory = report["memory_mb"]
    targets: list[Target] = []
    if 1_000 in rates:
        targets.append(Target("1,000 watches: items a second", rates[1_000]["monitor-500"], 5_000))
    if 100_000 in rates:
        for size, least in ((500, 10), (50, 25)):
            times = rates[100_000][f"monitor-{size}"] / rates[100_000][f"fts5-{size}"]
            targets.append(Target(f"100,000 watches: times FTS5, both in {size}s", times, least))
        targets.append(Target("100,000 watches: MB", memory[100_000], 200, most=True))
    if {1_000, 100_000} <= rates.keys():
        growth = rates[1_000]["monitor-500"] / rates[100_000]["monitor-500"]
        targets.append(Target("1,000 to 100,000 watches: times the cost of an item", growth, 8, most=True))
    return targets


def _print(report: dict[str, Any]) -> None:
    about = report["items"]
    print(json.dumps(report["machine"]))
    print(f"{about['count']:,} items of {about['words']:.0f} words, {about['bytes']:,.0f} bytes\n")
    print("| watches | " + " | ".join(CONTENDERS) + " | monitor, MB/s | first reading | memory, MB | hits an item |")
    print("|--:" * (len(CONTENDERS) + 5) + "|")
    for row in report["rows"]:
        rates = row["items_per_second"]
        cells = [f"{rates[name]:,.0f}" if rates[name] >= 10 else f"{rates[name]:.2f}" for name in CONTENDERS]
        cells += [f"{rates['monitor-500'] * about['bytes'] / 1e6:.1f}", f"{row['first']:,.0f}"]
        cells += [f"{report['memory_mb'][row['watches']]:.0f}", f"{row['hits_per_item']:.1f}"]
        print(f"| {row['watches']:,} | " + " | ".join(cells) + " |")
    print(f"\nequal results: {json.dumps(report['equal'])}")
    tell_targets(report["targets"])


if __name__ == "__main__":
    main()
