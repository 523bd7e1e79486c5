"""``monitor demo``: the whole service, offline, on a sample newsroom: a week of news in a few seconds.

Nothing is staged but the news and the clock: the ticks and the tasks are those of the service.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from monitor.app import App
from monitor.cli.demo_steps import STEPS, Clock, Stage, Unexpected
from monitor.cli.installation import installation
from monitor.cli.output import say, track
from monitor.cli.service import serve
from monitor.clock import utc_now
from monitor.errors import Refused
from monitor.newsroom import Newsroom
from monitor.runners.assemble import make_folder
from monitor.runners.local import LocalRunner
from monitor.settings import FILE_VARIABLE, Settings, load_settings
from monitor.shipped import shipped
from monitor.store import config
from monitor.store.engine import Database
from monitor.store.migrate import upgrade


def demo(
    *,
    once: Annotated[bool, typer.Option(help="Exit when all is shown; 0 if each step brought what it should.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="An empty folder to work in; a temporary one if left out.")
    ] = None,
) -> None:
    """Show the whole service offline: a sample newsroom is polled, matched and digested, and the page opened."""
    folder = _folder(data_dir)
    say("Roadmap Monitor, shown offline. The agencies and their news are invented, and nothing leaves this machine.\n")
    try:
        with played(folder) as app:
            say(f"\nAll of it is kept in {folder}; delete the folder when you have seen enough.")
            if not once:
                _open_browser(app.settings.base_url)
                serve(app, LocalRunner(app))
    except Unexpected as problem:
        say(f"\nThe demo did not bring what it should: {problem}. Its data is in {folder}.")
        raise typer.Exit(1) from problem


@contextmanager
def played(folder: Path) -> Iterator[App]:
    """Play the demo's steps in an empty folder, telling each; the installation and the newsroom stay open meanwhile.

    Raises:
        Unexpected: A step did not bring what it should.
    """
    settings = _settings(folder)
    window_end = utc_now().replace(minute=0, second=0, microsecond=0)
    with Newsroom(window_end) as newsroom:
        _load_config(settings, newsroom, window_end)
        with installation(settings) as app:
            clock = Clock(window_end)
            stage = Stage(replace(app, clock=clock), clock, newsroom, window_end)
            for number, step in enumerate(track(STEPS, len(STEPS), "demo"), start=1):
                first, *others = step(stage)
                say("\n".join([f"{number}. {first}", *(f"     {line}" for line in others)]))
            yield app


def _folder(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="roadmap-monitor-demo-"))
    if wanted.exists() and any(wanted.iterdir()):
        raise Refused(f"{wanted} is not empty; the demo wants a folder of its own")
    return wanted.resolve()


def _settings(folder: Path) -> Settings:
    """The shipped settings, whatever else is set on this machine: the demo touches no database and sends no mail."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return load_settings(
        {
            FILE_VARIABLE: str(shipped("config", "settings.toml")),
            "MONITOR_DATA_DIR": str(folder),
            "MONITOR_PORT": str(port),
            "MONITOR_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "MONITOR_ORGANISATION": "Roadmap Monitor (demo)",
            "MONITOR_CONTACT": "demo@example.org",
            "MONITOR_POSTAL_ADDRESS": "1 Sample Street, Ottawa",
            "MONITOR_POLL_ALLOW_LOOPBACK": "true",
            "MONITOR_POLL_HOST_GAP_SECONDS": "0.05",
            "MONITOR_LOG_LEVEL": "error",
        }
    )


def _load_config(settings: Settings, newsroom: Newsroom, now: datetime) -> None:
    """Fill the new database with the shipped topics and the newsroom's sources, so that the first start adds none."""
    make_folder(settings.data_dir)
    database = Database(settings.database)
    upgrade(database, now)
    wanted = replace(config.read_config(shipped("config")), sources=newsroom.sources)
    with database.write() as session:
        config.apply(session, config.plan(session, wanted), actor="demo", now=now - timedelta(days=7))
    database.close()


def _open_browser(url: str) -> None:
    """Show the page to whoever sits before a screen; a text browser would take the terminal away."""
    screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.stdout.isatty() and screen:
        threading.Timer(1.5, webbrowser.open, (url,)).start()
