"""``monitor channel``: programs and chats that are told of news as it comes in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from monitor.cli.installation import ACTOR, installation
from monitor.cli.output import AsJson, print_rows, say
from monitor.delivery import chat
from monitor.delivery.webhook import make_secret
from monitor.errors import Refused
from monitor.polling.addresses import check_url
from monitor.polling.fetch import Failed
from monitor.store.channels import add_channel, list_channels, list_pushes, remove_channel

app = typer.Typer(help="Programs (webhooks) and chats that are told of news as it comes in.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    url: Annotated[
        str,
        typer.Argument(
            help="Where the program takes POST requests, or a chat's address as Apprise writes it (slack://…); "
            "- reads it from standard input, so that no list of commands holds it."
        ),
    ],
    *,
    topics: Annotated[list[str] | None, typer.Option("--topic", help="A topic; repeat it; none for all.")] = None,
) -> None:
    """Tell a program or a chat of news from now on; prints the secret that signs what a program is sent."""
    url = sys.stdin.readline().strip() if url == "-" else url
    with installation() as opened:
        secret = "" if chat.is_chat(url) else make_secret()
        added = _check(url, allow_loopback=opened.settings.poll_allow_loopback)
        with opened.database.write() as session:
            add_channel(session, name, url, secret, topics or [], actor=ACTOR, now=opened.clock())
    say(f"Added. The secret, for the program to check signatures with:\n{secret}" if secret else f"Added: {added}.")


def _check(url: str, *, allow_loopback: bool) -> str:
    """What an address leads to; an address that cannot be told is refused."""
    if chat.is_chat(url):
        return chat.check_service(url)
    target = check_url(url, allow_loopback=allow_loopback)
    if isinstance(target, Failed):
        raise Refused(f"url {url!r}: {target.detail}")
    return url


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The channel.")]) -> None:
    """Tell a program nothing more, and forget what it was told."""
    with installation() as opened, opened.database.write() as session:
        remove_channel(session, name, actor=ACTOR, now=opened.clock())
    say(f"Removed {name}.")


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the channels."""
    with installation() as opened, opened.database.read() as session:
        rows = [
            {"name": row.name, "url": chat.masked(row.url), "topics": row.topics or ["all"], "since": row.created_at}
            for row in list_channels(session)
        ]
    print_rows(rows, as_json=as_json, empty="No channels. `monitor channel add NAME URL` adds one.")


@app.command("log")
def log_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 20, *, as_json: AsJson = False
) -> None:
    """List what the channels were told last, and what became of it."""
    with installation() as opened, opened.database.read() as session:
        rows = [
            {
                "channel": name,
                "built": row.built_at,
                "state": row.state,
                "attempts": row.attempts,
                "sent": row.sent_at,
                "title": row.subject,
                "error": row.last_error,
            }
            for row, name in list_pushes(session, limit=limit)
        ]
    print_rows(rows, as_json=as_json, empty="Nothing was told to any channel yet.")
