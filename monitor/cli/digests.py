"""``monitor digest``: see one, send what is due, tell what became of each."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.app import Intent
from monitor.cli.installation import ACTOR, installation
from monitor.cli.output import AsJson, print_rows, progress_bar, say
from monitor.core.address import normalised_address
from monitor.digests.preview import preview_digest
from monitor.errors import NotFound, Refused
from monitor.sending import obstacle
from monitor.store.digests import list_digests
from monitor.store.kept import pause_sending, resume_sending
from monitor.store.outgoing import due_ids
from monitor.store.subscribers import due_subscriber_ids, find_subscriber
from monitor.store.tables import DigestRow
from monitor.tasks import run_intent

app = typer.Typer(help="The mails that subscribers get.", no_args_is_help=True)


@app.command()
def preview(
    address: Annotated[str, typer.Argument(help="A subscriber's address.")],
    *,
    html: Annotated[bool, typer.Option(help="Print the HTML part instead of the text part.")] = False,
) -> None:
    """Show the digest that a subscriber would get if it were due now; nothing is stored or sent."""
    with installation() as opened, opened.database.read() as session:
        subscriber = find_subscriber(session, normalised_address(address))
        if subscriber is None:
            raise NotFound(f"{address} is not a subscriber; see `monitor subscriber list`")
        links = opened.links(subscriber)
        letter = preview_digest(session, subscriber, opened.clock(), sender=opened.sender, links=links)
    if letter is None:
        say("Nothing new since the last digest: no mail would go out.")
        return
    if html:
        typer.echo(letter.html)
    else:
        say(f"Subject: {letter.subject}\n\n{letter.text}")


@app.command()
def send() -> None:
    """Build the digests that are due and send all that wait, now; exit code 1 if one could not be sent."""
    with installation() as opened:
        if reason := obstacle(opened):
            raise Refused(reason)
        with opened.database.read() as session:
            due = due_subscriber_ids(session, opened.clock(), limit=1_000_000)
        run_intent(opened, Intent("build_digests", tuple(due)))
        with opened.database.read() as session:
            waiting = due_ids(session, DigestRow, opened.clock(), limit=1_000_000)
        with progress_bar() as bar:
            for digest_id in bar.track(waiting, description="sending"):
                run_intent(opened, Intent("send_digests", (digest_id,)))
        with opened.database.read() as session:
            done = [row.state for row, _ in list_digests(session, ids=waiting, limit=len(waiting))]
    sent = done.count("sent")
    say(f"{sent} sent, {len(done) - sent} not; `monitor digest list` tells more.")
    if sent < len(done):
        raise typer.Exit(1)


@app.command()
def pause() -> None:
    """Let no mail go out, digests and letters alike, until `monitor digest resume`; what is due meanwhile waits."""
    with installation() as opened, opened.database.write() as session:
        changed = pause_sending(session, actor=ACTOR, now=opened.clock())
    say("Nothing is sent until `monitor digest resume`." if changed else "Sending was paused already.")


@app.command()
def resume() -> None:
    """Let mails go out again."""
    with installation() as opened, opened.database.write() as session:
        changed = resume_sending(session, actor=ACTOR, now=opened.clock())
    say("Mails go out again; what waits is sent within a minute." if changed else "Sending was not paused.")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 20, *, as_json: AsJson = False
) -> None:
    """List the latest digests with their state: who was sent what, and what still waits."""
    with installation() as opened, opened.database.read() as session:
        found = list_digests(session, limit=limit)
    rows = [
        {
            "id": row.id,
            "address": address,
            "window_end": row.window_end,
            "state": row.state,
            "attempts": row.attempts,
            "sent": row.sent_at,
            "subject": row.subject,
            "error": row.last_error,
        }
        for row, address in found
    ]
    print_rows(rows, as_json=as_json, empty="No digests yet. `monitor digest preview ADDRESS` shows the next one.")
