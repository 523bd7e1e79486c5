"""The service: ``monitor run``, its parts for a cluster (``web``, ``scheduler``, ``worker``), and ``monitor poll``."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.app import App
from monitor.cli.installation import installation
from monitor.cli.output import progress_bar, say
from monitor.errors import NotFound, Refused
from monitor.runners.assemble import settle_in
from monitor.runners.local import LocalRunner
from monitor.runners.status import status_server
from monitor.staff.sign_in import first_operator_link
from monitor.store import claims
from monitor.store.source_health import coverage_since
from monitor.tasks import POLL_LEASE, drain, pack_polls

if TYPE_CHECKING:
    import uvicorn


def run() -> None:
    """Run the service: the web page, the schedule and the workers, in one process, until it is stopped."""
    # uvicorn hands a signal on after it has stopped serving: by default SIGTERM would kill us before the work in
    # hand is finished.
    signal.signal(signal.SIGTERM, _leave)
    with installation() as app, status_server(app, rows=True, is_well=lambda: True):
        serve(app, LocalRunner(app))


def serve(app: App, runner: LocalRunner) -> None:
    """Serve the web page while the schedule runs; returns when the process is told to stop."""
    server = _server(app)
    settle_in()
    runner.start()
    say(f"Roadmap Monitor runs at {_address(app)} (stop with Ctrl-C). Mail goes to {_mail(app)}.")
    _invite_operator(app)
    try:
        server.run()
    except KeyboardInterrupt:
        say("Stopping.")
    finally:
        runner.stop()


def web() -> None:
    """Serve the web pages alone; schedule and work are other processes'."""
    signal.signal(signal.SIGTERM, _leave)
    with installation(patient=True) as app:
        say(f"The pages are at {_address(app)} (stop with Ctrl-C).")
        _invite_operator(app)
        try:
            with status_server(app, rows=True, is_well=lambda: True):
                server = _server(app)
                settle_in()
                server.run()
        except KeyboardInterrupt:
            say("Stopping.")


def scheduler() -> None:
    """Fire the schedule's ticks into the queue (PostgreSQL); any number of schedulers share them."""
    from monitor.runners.cluster import Scheduler  # noqa: PLC0415 - SQLite installations have no Procrastinate

    told = _told_to_stop()
    with installation(patient=True) as app:
        runner = Scheduler(app)
        with status_server(app, rows=False, is_well=runner.is_well):
            runner.start()
            say("The schedule runs (stop with Ctrl-C).")
            told.wait()
            runner.stop()


def worker(
    *,
    queues: Annotated[str, typer.Option(help="The queues to serve, separated by commas.")] = "poll,match,digest,mail",
    concurrency: Annotated[int, typer.Option(min=1, max=100, help="How many jobs to carry out at a time.")] = 4,
) -> None:
    """Carry out the jobs of the queue (PostgreSQL); any number of workers share them."""
    from monitor.runners.cluster import QUEUES, Worker  # noqa: PLC0415 - SQLite installations have no Procrastinate

    names = [name.strip() for name in queues.split(",") if name.strip()]
    known = dict.fromkeys(QUEUES.values())
    if not names or not known.keys() >= set(names):
        raise Refused(f"--queues {queues!r}: name some of {', '.join(known)}, separated by commas")
    with installation(patient=True) as app:
        runner = Worker(app, queues=names, concurrency=concurrency)
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, lambda *_: runner.stop())
        settle_in()
        say(f"A worker serves {', '.join(names)} (stop with Ctrl-C).")
        with status_server(app, rows=False, is_well=runner.is_well):
            runner.run()


def _server(app: App) -> uvicorn.Server:
    import uvicorn  # noqa: PLC0415 - as below

    from monitor.web.app import create_web  # noqa: PLC0415 - half of the time that a command takes to start

    settings = app.settings
    return uvicorn.Server(
        uvicorn.Config(
            create_web(app), settings.host, settings.port, log_config=None, access_log=False, server_header=False
        )
    )


def _address(app: App) -> str:
    return f"http://{app.settings.host}:{app.settings.port}"


def _told_to_stop() -> threading.Event:
    """An event that is set when the process is told to stop."""
    told = threading.Event()
    for how in (signal.SIGTERM, signal.SIGINT):
        signal.signal(how, lambda *_: told.set())
    return told


def poll(
    *,
    source: Annotated[str | None, typer.Option(help="Visit this source alone, due or not.")] = None,
) -> None:
    """Visit the sources that are due now, match what is new, and stop."""
    with installation() as app:
        with app.database.write() as session:
            due = claims.claim_due_sources(
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


def _invite_operator(app: App) -> None:
    settings = app.settings
    with app.database.write() as session:
        link = first_operator_link(session, app.key, settings.base_url, operator=settings.operator, now=app.clock())
    if link:
        say(f"Nobody is on the staff yet. Whoever opens this link first becomes the operator: {link}")


def _mail(app: App) -> str:
    settings = app.settings
    return settings.smtp_host or f"the folder {settings.outbox_dir} until smtp_host is set"


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
