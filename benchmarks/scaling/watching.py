"""A large watchlist: what it costs to compile it, to hold it, and to match an item against it.

Items and watches are those of the benchmark of matching, made up: no network, no corpus.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "matching"))

from engines import Monitor
from items import load_items
from watches import make_asked

from monitor.core.languages import Language

ITEMS, TIMED = 3_000, 300


def tell_watching(counts: list[int]) -> None:
    """A line for each number of watches; times are of the processor."""
    print(f"{'watches':>12}  compiled in   memory   an item")
    items = load_items(Path("none"), ITEMS)
    for count in counts:
        asked, before, started = make_asked(items, count), _resident(), time.process_time()
        service = Monitor(asked, Language.EN)
        compiled = time.process_time() - started
        service.read(items[TIMED : 2 * TIMED])  # the words of a language are known after a while
        started = time.process_time()
        service.read(items[:TIMED])
        each = 1000 * (time.process_time() - started) / TIMED
        print(f"{count:>12,}  {compiled:9.1f} s  {_resident() - before:4.0f} MB  {each:5.2f} ms", flush=True)


def _resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
