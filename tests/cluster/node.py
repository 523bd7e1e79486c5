"""A scheduler or a worker of a cluster whose times are short, and whose ticks are written down.

Usage: node.py scheduler|worker   (settings from the environment)

Each tick leaves an event in its own transaction: it fired as often as there are such events.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitor import sending, tasks, ticks
from monitor.app import App, Intent
from monitor.cli import service
from monitor.polling import visit
from monitor.runners import cluster
from monitor.store.events import record_event


def main() -> None:
    # Each module reads its own name of what it imports.
    sending.SEND_LEASE = tasks.POLL_LEASE = vars(ticks)["POLL_LEASE"] = timedelta(seconds=8)
    visit._LEASE_MARGIN = timedelta(seconds=1)
    vars(ticks)["DIGEST_BATCH"] = vars(ticks)["SEND_BATCH"] = tasks.SEND_BATCH = 5
    cluster.HEARTBEAT, cluster.SILENT = timedelta(seconds=1), timedelta(seconds=4)
    cluster.RESCUE_EVERY = timedelta(seconds=1)
    vars(cluster)["TICKS"] = tuple(_told(tick) for tick in ticks.TICKS)
    if sys.argv[1] == "scheduler":
        service.scheduler()
    else:
        service.worker(queues="poll,match,digest,mail", concurrency=3)


def _told(tick: ticks.Tick) -> ticks.Tick:
    def run(app: App, session: Any, now: datetime) -> list[Intent]:
        record_event(session, now, actor="test", action="fired", noun="tick", noun_id=tick.name)
        return tick.run(app, session, now)

    return replace(tick, every=timedelta(seconds=2), run=run)


if __name__ == "__main__":
    main()
