"""Opening the installation for a command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from monitor.app import App
from monitor.errors import DatabaseBusy
from monitor.logs import configure_logs
from monitor.runners.assemble import make_app
from monitor.settings import Settings, load_settings

log = structlog.get_logger(__name__)

ACTOR = "command line"


_WAIT_SECONDS = 60
"""For so long a service waits at its start for a database that is away, as after a power cut of the whole house."""


@contextmanager
def installation(settings: Settings | None = None, *, patient: bool = False) -> Iterator[App]:
    """The installation that the settings describe, open for the length of a command.

    Args:
        settings: The settings; None reads them.
        patient: Wait a while for a database that does not answer.
    """
    settings = settings or load_settings()
    configure_logs(settings)
    app = _open(settings, until=time.monotonic() + (_WAIT_SECONDS if patient else 0))
    try:
        yield app
    finally:
        app.database.close()


def _open(settings: Settings, *, until: float) -> App:
    while True:
        try:
            return make_app(settings)
        except DatabaseBusy as error:
            if time.monotonic() > until:
                raise
            log.warning("waiting for the database", reason=str(error))
            time.sleep(1)
