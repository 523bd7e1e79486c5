"""Opening the installation for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from monitor.logs import configure_logs
from monitor.runners.assemble import make_app
from monitor.settings import Settings, load_settings
from monitor.tasks import App

ACTOR = "command line"


@contextmanager
def installation(settings: Settings | None = None) -> Iterator[App]:
    """The installation that the settings describe, open for the length of a command."""
    settings = settings or load_settings()
    configure_logs(settings)
    app = make_app(settings)
    try:
        yield app
    finally:
        app.database.close()
