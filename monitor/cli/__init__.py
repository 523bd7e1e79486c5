"""The command line: each command opens the installation, calls one use case, prints what came of it.

Exit codes: 0 done; 1 done, and what was asked about is not well (``doctor``, ``source check``, a failed delivery);
2 the request or a setting is wrong; 75 try again later (the database or the mail server is busy).
"""

from __future__ import annotations

import sys

import typer

from monitor.cli import (
    archive,
    backup,
    bounces,
    channels,
    config,
    db,
    demo,
    digests,
    doctor,
    events,
    matches,
    outbox,
    queue,
    score,
    service,
    sources,
    staff,
    subscribers,
    watches,
)
from monitor.cli.output import errors
from monitor.errors import MonitorError, Transient

BAD_REQUEST = 2
TRY_LATER = 75  # sysexits.h: EX_TEMPFAIL

app = typer.Typer(
    name="monitor",
    help="Watch government news for the topics of the U.S.-Canada Partnership Roadmap, and e-mail digests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(service.run)
app.command("web")(service.web)
app.command("scheduler")(service.scheduler)
app.command("worker")(service.worker)
app.command("poll")(service.poll)
app.command("matches")(matches.matches)
app.command("events")(events.events)
app.command("import")(archive.import_)
app.command("reindex")(archive.reindex_)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.add_typer(watches.app, name="watch")
app.add_typer(score.app, name="score")
app.add_typer(digests.app, name="digest")
app.add_typer(bounces.app, name="bounce")
app.add_typer(channels.app, name="channel")
app.add_typer(subscribers.app, name="subscriber")
app.add_typer(sources.app, name="source")
app.add_typer(staff.app, name="staff")
app.add_typer(outbox.app, name="outbox")
app.add_typer(config.app, name="config")
app.add_typer(db.app, name="db")
app.add_typer(queue.app, name="queue")


def main() -> None:
    """Run the command line; errors of ours become a line on standard error and an exit code."""
    try:
        app()
    except MonitorError as error:
        errors.print(f"monitor: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(TRY_LATER if isinstance(error, Transient) else BAD_REQUEST)
