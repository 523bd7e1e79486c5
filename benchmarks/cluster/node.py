"""A process of the benchmark: ``embedded``, ``scheduler`` or ``worker``, as the command line runs them.

Usage: node.py KIND (settings from the environment). Only the ticks that the benchmark is about are fired, once a
second; it says ``ready`` when it works, and ends on SIGTERM.
"""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from datetime import timedelta

from monitor import ticks
from monitor.logs import configure_logs
from monitor.runners import cluster, local
from monitor.runners.assemble import make_app
from monitor.settings import load_settings

THREADS = 4
_ABOUT = ("poll_due_sources", "start_due_digests", "deliver_digests", "recover_lost_work")
_TICKS = tuple(replace(tick, every=timedelta(seconds=1)) for tick in ticks.TICKS if tick.name in _ABOUT)


def main() -> None:
    settings = load_settings()
    configure_logs(settings)
    app = make_app(settings)
    local.TICKS = cluster.TICKS = _TICKS
    told = threading.Event()
    for how in (signal.SIGTERM, signal.SIGINT):
        signal.signal(how, lambda *_: told.set())
    if sys.argv[1] == "worker":
        runner = cluster.Worker(app, queues=sorted(set(cluster.QUEUES.values())), concurrency=THREADS)
        serving = threading.Thread(target=runner.run)
        serving.start()
        print("ready", flush=True)
        told.wait()
        runner.stop()
        serving.join()
        return
    schedule = local.LocalRunner(app, threads=THREADS) if sys.argv[1] == "embedded" else cluster.Scheduler(app)
    schedule.start()
    print("ready", flush=True)
    told.wait()
    schedule.stop()


if __name__ == "__main__":
    main()
