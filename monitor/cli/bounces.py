"""``monitor bounce``: mail that came back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from monitor.cli.installation import installation
from monitor.cli.output import AsJson, print_rows, say
from monitor.delivery.bounces import MAX_REPORT_BYTES, Bounced, Complained, Returned
from monitor.returned import take_back
from monitor.store.bounces import list_bounces

app = typer.Typer(help="Mail that came back.", no_args_is_help=True)


@app.command()
def read() -> None:
    """Read one message from standard input, as a mail server pipes it, and draw the consequences."""
    raw = sys.stdin.buffer.read(MAX_REPORT_BYTES + 1)
    with installation() as opened:
        say(_told(take_back(opened, raw)))


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 20, *, as_json: AsJson = False
) -> None:
    """List what came back lately, and what became of the address."""
    with installation() as opened, opened.database.read() as session:
        found = list_bounces(session, limit=limit)
    rows = [
        {
            "at": line.at,
            "address": line.address,
            "state": line.state,
            "kind": line.kind,
            "mail": line.reference,
            "detail": line.detail,
        }
        for line in found
    ]
    print_rows(rows, as_json=as_json, empty="Nothing has come back.")


def _told(returned: Returned) -> str:
    match returned:
        case Bounced():
            return f"{'hard' if returned.hard else 'soft'} bounce of {returned.reference}: {returned.detail}"
        case Complained():
            return f"complaint about {returned.reference}: the subscription has ended"
        case _:
            return f"ignored: {returned.reason}"
