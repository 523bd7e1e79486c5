"""``monitor run`` and ``monitor poll``: the service itself."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from monitor.cli.installation import installation
from monitor.cli.output import progress_bar, say
from monitor.errors import NotFound
from monitor.runners.local import LocalRunner
from monitor.store import sources
from monitor.store.source_health import coverage_since
from monitor.tasks import POLL_LEASE, App, drain, pack_polls
from monitor.web.app import create_web


def run() -> None:
    """Run the service: the web page, the schedule and the workers, in one process, until it is stopped."""
    # uvicorn hands a signal on after it has stopped serving: by default SIGTERM would kill us before the work in
    # hand is finished.
    signal.signal(signal.SIGTERM, _leave)
    with installation() as app:
        runner = LocalRunner(app)
        serve(app, runner)


def serve(app: App, runner: LocalRunner) -> None:
    """Serve the web page while the schedule runs; returns when the process is told to stop."""
    settings = app.settings
    web = create_web(app, next_runs=runner.next_runs)
    server = uvicorn.Server(
        uvicorn.Config(web, settings.host, settings.port, log_config=None, access_log=False, server_header=False)
    )
    runner.start()
    say(
        f"Roadmap Monitor runs at http://{settings.host}:{settings.port} (stop with Ctrl-C). Mail goes to {_mail(app)}."
    )
    try:
        server.run()
    except KeyboardInterrupt:
        say("Stopping.")
    finally:
        runner.stop()


def poll(
    *,
    source: Annotated[str | None, typer.Option(help="Visit this source alone, due or not.")] = None,
) -> None:
    """Visit the sources that are due now, match what is new, and stop."""
    with installation() as app:
        with app.database.write() as session:
            due = sources.claim_due_sources(
                session, app.clock(), limit=10_000, per_host=10_000, lease=POLL_LEASE, slug=source
            )
        if source and not due:
            raise NotFound(
                f"source {source!r}: no such active source, or it is being visited; see `monitor source list`"
            )
        intents = pack_polls(list(due.values()))
        with progress_bar() as bar:
            task = bar.add_task("visiting", total=sum(len(ids) for ids in due.values()))
            for intent in intents:
                drain(app, [intent])
                bar.advance(task, len(intent.ids))
        with app.database.read() as session:
            failing = coverage_since(session, app.clock(), app.clock()).failing
        say(f"Visited {sum(map(len, due.values()))} sources." + (f" Failing: {', '.join(failing)}." if failing else ""))


def _mail(app: App) -> str:
    settings = app.settings
    return settings.smtp_host or f"the folder {settings.outbox_dir} until smtp_host is set"


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
