"""``monitor outbox``: the mails that were written instead of sent."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.output import AsJson, print_rows, say
from monitor.delivery.outbox import Outbox
from monitor.settings import load_settings

app = typer.Typer(
    help="The mails that were written into the outbox folder while no SMTP server is set.", no_args_is_help=True
)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the mails, newest first."""
    settings = load_settings()
    rows = [
        {"date": letter.date, "to": letter.recipient, "subject": letter.subject, "file": letter.path.name}
        for letter in Outbox(settings.outbox_dir).list()
    ]
    empty = f"No mails in {settings.outbox_dir}. They go here while smtp_host is empty."
    print_rows(rows, as_json=as_json, empty=empty)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The file's name, or the first letters of it.")],
    *,
    html: Annotated[bool, typer.Option(help="Print the HTML part instead of the text part.")] = False,
) -> None:
    """Show one mail: its headers and its text."""
    letter = Outbox(load_settings().outbox_dir).show(name)
    if html:
        typer.echo(letter.html)
        return
    say(f"From: {letter.sender}\nTo: {letter.recipient}\nDate: {letter.date}\nSubject: {letter.subject}\n")
    say(letter.text)
