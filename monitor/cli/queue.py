"""``monitor queue``: the jobs of a cluster, and those that failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from monitor.app import App
from monitor.cli.installation import ACTOR, installation
from monitor.cli.output import AsJson, print_json, print_rows, say
from monitor.core.ids import MOST_ID
from monitor.errors import Refused
from monitor.store import queue

app = typer.Typer(help="The queue of a cluster (PostgreSQL).", no_args_is_help=True)

JobId = Annotated[int, typer.Argument(max=MOST_ID, help="The job, as `monitor queue list --state failed` names it.")]


@app.command("list")
def list_(
    *,
    state: Annotated[str, typer.Option(help="List the jobs in a state (todo, doing, failed, succeeded).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many jobs at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """How deep and how old each queue is; with --state, its jobs. Those that failed for good are dead letters."""
    if state and state not in queue.STATES:
        raise Refused(f"--state {state!r}: write one of {', '.join(queue.STATES)}")
    with _cluster() as cluster, cluster.database.read() as session:
        if state:
            rows = [_row(job) for job in queue.list_jobs(session, state, limit=limit)]
        else:
            rows = [asdict(found) | {"age": str(found.age)} for found in queue.queue_states(session)]
    print_rows(rows, as_json=as_json, empty=f"No job is {state}." if state else "Nothing was enqueued yet.")


@app.command()
def show(job_id: JobId) -> None:
    """A job with all its ids, as JSON."""
    with _cluster() as cluster, cluster.database.read() as session:
        print_json(asdict(queue.load_job(session, job_id)))


@app.command()
def retry(job_id: JobId) -> None:
    """Take up a dead letter: it is due at once."""
    with _cluster() as cluster, cluster.database.write() as session:
        job = queue.retry_job(session, job_id, actor=ACTOR, now=cluster.clock())
    say(f"Job {job_id} ({job.task}, {len(job.ids)} ids) is due again.")


def _row(job: queue.Job) -> dict[str, object]:
    return asdict(job) | {"ids": f"{len(job.ids)}: {', '.join(map(str, job.ids[:5]))}"}


@contextmanager
def _cluster() -> Iterator[App]:
    with installation() as found:
        if found.database.is_sqlite:
            raise Refused("there is no queue on SQLite: what is due is in the rows, and `monitor run` takes it up")
        yield found
