"""A process of the benchmark: ``embedded``, ``scheduler``, ``worker`` or ``idle``, as the command line runs them.

Usage: node.py KIND NUMBER (settings from the environment). Only the ticks that the benchmark is about are fired, once a
second. Whoever carries tasks out visits a source of its own first, matches what it brings and renders a digest, so that
what a process does once is over. It says ``ready`` then, and ends with its standard input. ``idle`` is a worker whose
tasks do nothing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlmodel import select

from monitor import tasks, ticks
from monitor.app import App, Intent
from monitor.core.languages import Language
from monitor.digests.render import render_digest
from monitor.digests.sample import sample_digest
from monitor.logs import configure_logs
from monitor.runners import cluster, local
from monitor.runners.assemble import make_app, settle_in
from monitor.settings import load_settings
from monitor.store.tables import SourceRow, SubscriberRow

THREADS = 4
_ABOUT = ("poll_due_sources", "start_due_digests", "deliver_digests")
_TICKS = tuple(replace(tick, every=timedelta(seconds=1)) for tick in ticks.TICKS if tick.name in _ABOUT)


def main() -> None:
    kind, number = sys.argv[1], int(sys.argv[2])
    settings = load_settings()
    configure_logs(settings)
    app = make_app(settings)
    vars(local)["TICKS"] = vars(cluster)["TICKS"] = _TICKS  # each module reads its own name of what it imports
    if kind == "idle":
        tasks.TASKS = vars(cluster)["TASKS"] = dict.fromkeys(tasks.TASKS, lambda *_: [])
    elif kind != "scheduler":
        warm_up(app, number)
    settle_in()
    stop = start(kind, app)
    print("ready", flush=True)
    sys.stdin.read()
    stop()


def warm_up(app: App, number: int) -> None:
    """Do once what is to be measured later."""
    with app.database.read() as session:
        source = session.exec(select(SourceRow.id).where(SourceRow.slug == f"warm-{number}")).one()
        reader = session.exec(
            select(SubscriberRow.id).where(SubscriberRow.address == f"warm{number}@example.org")
        ).one()
    tasks.drain(app, [Intent("poll_sources", (source or 0,)), Intent("build_digests", (reader or 0,))])
    render_digest(sample_digest(Language.EN))


def start(kind: str, app: App) -> Callable[[], None]:
    """Start; what stops it."""
    if kind in {"embedded", "scheduler"}:
        schedule = local.LocalRunner(app, threads=THREADS) if kind == "embedded" else cluster.Scheduler(app)
        schedule.start()
        return schedule.stop
    worker = cluster.Worker(app, queues=sorted(set(cluster.QUEUES.values())), concurrency=THREADS)
    serving = threading.Thread(target=worker.run)
    serving.start()

    def stop() -> None:
        worker.stop()
        serving.join()

    return stop


if __name__ == "__main__":
    main()
