"""A `monitor run` whose ticks come each second, and which writes down every tick it fires.

Usage: service.py FILE   (settings from the environment)
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from monitor import ticks
from monitor.app import App, Intent
from monitor.cli import service
from monitor.runners import local


def main() -> None:
    fired = Path(sys.argv[1])

    def told(tick: ticks.Tick) -> ticks.Tick:
        def run(app: App, session: Any, now: datetime) -> list[Intent]:
            with fired.open("a") as file:
                file.write(f"{tick.name}\n")
            return tick.run(app, session, now)

        return replace(tick, every=timedelta(seconds=1), run=run)

    vars(local)["TICKS"] = tuple(told(tick) for tick in ticks.TICKS)
    service.run()


if __name__ == "__main__":
    main()
