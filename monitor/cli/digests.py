"""``monitor digest``: see one, send what is due, tell what became of each, and why."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlmodel import Session

from monitor.app import App, Intent
from monitor.cli.installation import ACTOR, installation
from monitor.cli.options import language_option
from monitor.cli.output import AsJson, print_rows, say, track
from monitor.cli.subscribers import Address, named_subscriber
from monitor.core.address import normalised_address
from monitor.core.ids import MOST_ID
from monitor.core.languages import Language
from monitor.digests.preview import preview_digest
from monitor.digests.render import render_digest
from monitor.digests.sample import sample_digest
from monitor.digests.why import explain, find_item, sentence
from monitor.errors import Refused
from monitor.letters import Letter
from monitor.sending import obstacle, send_test
from monitor.store import outgoing
from monitor.store.delivery_log import MAIL_STATES
from monitor.store.digests import list_digests
from monitor.store.kept import pause_sending, resume_sending
from monitor.store.outgoing import due_ids
from monitor.store.subscribers import due_subscriber_ids, load_subscriber
from monitor.store.tables import DigestRow, SubscriberRow
from monitor.store.watchlist import topic_names
from monitor.tasks import run_intent

app = typer.Typer(help="The mails that subscribers get.", no_args_is_help=True)

_ALL = 1_000_000
_AT_A_TIME = 50


@app.command()
def preview(
    address: Address,
    *,
    html: Annotated[bool, typer.Option(help="Print the HTML part instead of the text part.")] = False,
) -> None:
    """Show the digest that a subscriber would get if it were due now; nothing is stored or sent."""
    with installation() as opened, opened.database.read() as session:
        letter = _preview(opened, session, named_subscriber(session, address))
    if letter is None:
        say("Nothing new since the last digest: no mail would go out.")
        return
    if html:
        typer.echo(letter.html)
    else:
        say(f"Subject: {letter.subject}\n\n{letter.text}")


@app.command()
def send(
    *,
    dry_run: Annotated[bool, typer.Option(help="List who would get what; store and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the digests that are due and send all that wait, now; exit code 1 if one could not be sent."""
    with installation() as opened:
        with opened.database.read() as session:
            due = due_subscriber_ids(session, opened.clock(), limit=_ALL)
            if dry_run:
                _list_due(opened, session, due, as_json=as_json)
                return
        if reason := obstacle(opened):
            raise Refused(reason)
        run_intent(opened, Intent("build_digests", tuple(due)))
        with opened.database.read() as session:
            waiting = list(due_ids(session, DigestRow, opened.clock(), limit=_ALL))
        _send_now(opened, waiting)


def _list_due(opened: App, session: Session, due: list[int], *, as_json: bool) -> None:
    rows = []
    for subscriber_id in track(due, len(due), "looking"):
        subscriber = load_subscriber(session, subscriber_id)
        letter = _preview(opened, session, subscriber)
        rows.append({"address": subscriber.address, "subject": letter.subject if letter else "(nothing new: no mail)"})
    for row, address in list_digests(session, state="built", limit=_ALL):
        rows.append({"address": address, "subject": row.subject or f"(built for {row.window_end:%Y-%m-%d}, waits)"})
    print_rows(rows, as_json=as_json, empty="Nothing is due, and nothing waits.")


def _send_now(opened: App, ids: list[int]) -> None:
    batches = [tuple(ids[start : start + _AT_A_TIME]) for start in range(0, len(ids), _AT_A_TIME)]
    sent = 0
    for batch in track(batches, len(batches), f"sending, {_AT_A_TIME} at a time"):
        run_intent(opened, Intent("send_digests", batch))
        with opened.database.read() as session:
            sent += sum(row.state == "sent" for row, _ in list_digests(session, ids=batch, limit=len(batch)))
    say(f"{sent} sent, {len(ids) - sent} not; `monitor digest list` tells more.")
    if sent < len(ids):
        raise typer.Exit(1)


@app.command()
def resend(
    digest_id: Annotated[
        int | None, typer.Argument(max=MOST_ID, help="A digest's id, as `monitor digest list` tells it.")
    ] = None,
    *,
    failed: Annotated[bool, typer.Option(help="All that have failed.")] = False,
) -> None:
    """Send a digest once more, whatever became of it, or all that failed; each keeps its Message-ID."""
    if (digest_id is None) != failed:
        raise Refused("name one digest, or write --failed")
    with installation() as opened:
        if reason := obstacle(opened):
            raise Refused(reason)
        with opened.database.write() as session:
            wanted = [digest_id] if digest_id is not None else _failed(session)
            for one in wanted:
                outgoing.resend(session, DigestRow, one, actor=ACTOR, now=opened.clock())
        _send_now(opened, wanted)


def _failed(session: Session) -> list[int]:
    return [row.id or 0 for row, _ in list_digests(session, state="failed", limit=_ALL)]


@app.command("test")
def test_(
    to: Annotated[str, typer.Argument(help="Where the test goes: an address of your own.")],
    *,
    like: Annotated[str | None, typer.Option(help="Send what this subscriber would get now.")] = None,
    language: Annotated[
        Language,
        language_option(text="The language of the sample: en, fr or es."),
    ] = Language.EN,
) -> None:
    """Send a sample digest, or what a subscriber would get, to yourself; no ledger knows of it."""
    with installation() as opened:
        with opened.database.read() as session:
            letter = _preview(opened, session, named_subscriber(session, like), shared=True) if like else None
        if like and letter is None:
            say("Nothing new since their last digest: there is no mail to try.")
            return
        outcome = send_test(opened, letter or render_digest(sample_digest(language)), normalised_address(to))
    say(outcome)


@app.command()
def why(
    address: Address,
    item: Annotated[str, typer.Argument(help="A publication's web address, or its number.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Tell why a publication did, or did not, come to a subscriber."""
    with installation() as opened, opened.database.read() as session:
        subscriber = named_subscriber(session, address)
        found = find_item(session, item)
        reasons = explain(session, subscriber, found, opened.clock(), hold=opened.settings.hold_for_review)
        names = topic_names(session, Language.EN)
        rows = [
            {
                "reason": reason.cause.name.lower(),
                "digest": reason.digest_id,
                "says": sentence(reason, Language.EN, subscriber.zone, names),
            }
            for reason in reasons
        ]
    print_rows(rows, as_json=as_json, empty="")


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
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 20,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state, such as failed.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the latest digests with their state: who was sent what, and what still waits."""
    if state is not None and state not in MAIL_STATES:
        raise Refused(f"--state {state!r}: write one of {', '.join(MAIL_STATES)}")
    with installation() as opened, opened.database.read() as session:
        found = list_digests(session, state=state, limit=limit)
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


def _preview(opened: App, session: Session, subscriber: SubscriberRow, *, shared: bool = False) -> Letter | None:
    links = opened.shared_links(subscriber) if shared else opened.links(subscriber)
    hold = opened.settings.hold_for_review
    return preview_digest(session, subscriber, opened.clock(), sender=opened.sender, links=links, hold=hold)
