"""A process that runs every tick at the given times, and kills itself with SIGKILL at a named point.

Usage: program.py POINT TIME...   (settings from the environment; POINT may be "never")
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

POINTS = {
    "poll: source claimed, not fetched": ("monitor.polling.visit", "_ask", "before"),
    "poll: fetched, nothing written": ("monitor.polling.visit", "take_in", "before"),
    "poll: items written, not committed": ("monitor.store.items", "insert_entries", "after"),
    "poll: visit recorded, not committed": ("monitor.polling.intake", "record_visits", "after"),
    "poll: committed, not matched": ("monitor.tasks", "match_items", "before"),
    "article: fetched, not written": ("monitor.store.articles", "store_article", "before"),
    "article: written, not committed": ("monitor.store.articles", "store_article", "after"),
    "article: committed, source not released": ("monitor.store.articles", "release_sources", "before"),
    "match: matches written, not committed": ("monitor.store.matches", "save_matches", "after"),
    "digest: due, not built": ("monitor.tasks", "build_digest", "before"),
    "digest: cursor moved, digest not written": ("monitor.store.digests", "advance_subscriber", "after"),
    "digest: written with its ledger, not committed": ("monitor.store.digests", "insert_digest", "after"),
    "digest: committed, not claimed": ("monitor.store.outgoing", "claim", "before"),
    "digest: claimed, not committed": ("monitor.store.outgoing", "claim", "after"),
    "digest: claimed, not rendered": ("monitor.tasks", "letter_of", "before"),
    "digest: rendered, not sent": ("monitor.delivery.smtp:Smtp", "send", "before"),
    "digest: taken by the server, not marked": ("monitor.delivery.smtp:Smtp", "send", "after"),
    "digest: marked as sent, not committed": ("monitor.store.outgoing", "finish", "after"),
}


def kill_at(point: str) -> None:
    """Arrange that the process dies when it comes to a point; the patch stays in this test program."""
    place, name, when = POINTS[point]
    module, _, owner = place.partition(":")
    target: Any = importlib.import_module(module)
    target = getattr(target, owner) if owner else target
    original = getattr(target, name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(target, name, deadly)
    tasks = importlib.import_module("monitor.tasks")
    if getattr(tasks, "TASKS", {}).get(name) is original:
        tasks.TASKS[name] = deadly


def main() -> None:
    point, *times = sys.argv[1:]
    from monitor import tasks
    from monitor.runners.assemble import make_app
    from monitor.settings import load_settings

    app = make_app(load_settings())
    if point != "never":
        kill_at(point)
    for moment in map(datetime.fromisoformat, times):
        at = replace(app, clock=lambda moment=moment: moment)
        for tick in tasks.TICKS:
            tasks.drain(at, tasks.run_tick(at, tick, moment))


if __name__ == "__main__":
    main()
