"""A process that forks one child for each line of its input; the child runs every tick and may kill itself.

A line is a JSON object: ``environment``, ``point`` and ``times``. The child runs every tick at each time, and kills
itself with SIGKILL when it comes to the point for the N-th time; ``point`` is "never" or "N:name". For each line the
program answers with the child's exit code, negative for a signal. It forks, before it has any thread, because importing
takes longer than all the rest.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

POINTS = {
    "poll: source claimed, not fetched": ("monitor.polling.visit", "_ask", "before"),
    "poll: fetched, nothing written": ("monitor.polling.visit", "take_in", "before"),
    "poll: items written, not committed": ("monitor.store.items", "insert_found", "after"),
    "poll: visit recorded, not committed": ("monitor.polling.intake", "record_visits", "after"),
    "poll: committed, not matched": ("monitor.tasks", "match_items", "before"),
    "article: fetched, not written": ("monitor.store.articles", "store_article", "before"),
    "article: written, not committed": ("monitor.store.articles", "store_article", "after"),
    "article: committed, source not released": ("monitor.store.articles", "release_sources", "before"),
    "match: matches written, not committed": ("monitor.store.matches", "save_matches", "after"),
    "digest: due, not built": ("monitor.digests.build", "build_digests", "before"),
    "digest: cursor moved, digest not written": ("monitor.store.digests", "advance_subscribers", "after"),
    "digest: written with its ledger, not committed": ("monitor.store.digests", "insert_digests", "after"),
    "digest: committed, not claimed": ("monitor.store.outgoing", "claim", "before"),
    "digest: claimed, not committed": ("monitor.store.outgoing", "claim", "after"),
    "digest: claimed, not rendered": ("monitor.mails", "write_digest", "before"),
    "digest: rendered, not sent": ("monitor.delivery.smtp:Smtp", "send", "before"),
    "digest: taken by the server, not marked": ("monitor.delivery.smtp:Smtp", "send", "after"),
    "digest: marked as sent, not committed": ("monitor.store.outgoing", "finish", "after"),
}


def kill_at(point: str) -> None:
    """Arrange that the process dies when it comes to a point; the patch stays in the child."""
    count, _, point_name = point.partition(":")
    place, name, when = POINTS[point_name]
    module, _, owner = place.partition(":")
    target: Any = importlib.import_module(module)
    target = getattr(target, owner) if owner else target
    original = getattr(target, name)
    passes = itertools.count(1)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        last = next(passes) == int(count)
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(target, name, deadly)
    tasks = importlib.import_module("monitor.tasks")
    if getattr(tasks, "TASKS", {}).get(name) is original:
        tasks.TASKS[name] = deadly


def _clock_at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def run(point: str, *times: str) -> None:
    from monitor import tasks, ticks
    from monitor.runners.assemble import make_app
    from monitor.settings import load_settings

    app = make_app(load_settings())
    if point != "never":
        kill_at(point)
    for moment in map(datetime.fromisoformat, times):
        at = replace(app, clock=_clock_at(moment))
        for tick in ticks.TICKS:
            tasks.drain(at, ticks.run_tick(at, tick, moment))


def _warm_up() -> None:
    """Do once what each child would have to do again: import the service, and load its templates."""
    importlib.import_module("monitor.runners.assemble")
    importlib.import_module("monitor.tasks")
    from monitor.core.languages import Language
    from monitor.digests.render import render_digest
    from monitor.digests.sample import sample_digest

    for language in (Language.EN, Language.FR):
        render_digest(sample_digest(language))


def main() -> None:
    _warm_up()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            os.dup2(2, 1)  # what it logs must not be taken for an answer
            os.environ |= asked["environment"]
            run(asked["point"], *asked["times"])
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
