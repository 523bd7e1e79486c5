"""``monitor staff``: those who review, edit or run the service."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.installation import ACTOR, installation
from monitor.cli.output import AsJson, print_rows, say
from monitor.core.address import normalised_address
from monitor.core.roles import role_of
from monitor.errors import Refused
from monitor.staff.people import add_staff, remove_staff
from monitor.staff.sign_in import printed_link
from monitor.staff.sign_in import sign_out as end_sessions
from monitor.store.staff import list_people, load_staff

app = typer.Typer(help="Those who review, edit or run the service.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="The e-mail address.")]


@app.command()
def add(
    address: Address,
    *,
    role: Annotated[str, typer.Option(help="viewer, reviewer, editor or operator.")] = "reviewer",
) -> None:
    """Add a person, or give one who is there another role; they sign in at the page /sign-in."""
    try:
        wanted = role_of(role)
    except ValueError as error:
        raise Refused(str(error)) from error
    with installation() as opened, opened.database.write() as session:
        person = add_staff(session, address, wanted, actor=ACTOR, now=opened.clock())
        say(f"{person.address} is {person.role}. They sign in at {opened.settings.base_url}/sign-in")


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the staff with their roles."""
    with installation() as opened, opened.database.read() as session:
        rows = [
            {"address": one.address, "role": one.role, "since": one.added_at, "last_sign_in": one.signed_in_at}
            for one in list_people(session, opened.clock())
        ]
    print_rows(rows, as_json=as_json, empty="Nobody yet. `monitor staff add you@example.org --role operator` adds one.")


@app.command()
def remove(address: Address) -> None:
    """Take a person off the staff; their sessions and keys end, their verdicts stay."""
    with installation() as opened, opened.database.write() as session:
        remove_staff(session, address, actor=ACTOR, now=opened.clock())
    say(f"{address} is not on the staff any more.")


@app.command("sign-out")
def sign_out(address: Address) -> None:
    """End all sessions of somebody, as when a device is lost; keys of programs stay."""
    with installation() as opened, opened.database.write() as session:
        person = load_staff(session, normalised_address(address))
        ended = end_sessions(session, person.id or 0, None, actor=ACTOR, now=opened.clock())
    say(f"{address} is signed out; sessions ended: {ended}.")


@app.command()
def link(address: Address) -> None:
    """Print a link with which somebody on the staff signs in once, within a day, where mail does not reach them."""
    with installation() as opened, opened.database.write() as session:
        person = load_staff(session, normalised_address(address))
        say(printed_link(session, person, opened.key, opened.settings.base_url, now=opened.clock()))
