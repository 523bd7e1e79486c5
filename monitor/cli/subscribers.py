"""``monitor subscriber``: the people who get digests."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlmodel import Session

from monitor.cli.installation import ACTOR, installation
from monitor.cli.options import language_option
from monitor.cli.output import AsJson, print_json, print_rows, say
from monitor.core.address import normalised_address
from monitor.core.languages import Language
from monitor.core.schedule import Frequency, Schedule
from monitor.digests.build import build_digests
from monitor.errors import NotFound, Refused
from monitor.store.subscribers import find_subscriber, list_subscribers
from monitor.store.tables import SubscriberRow
from monitor.subscriptions import data
from monitor.subscriptions.subscribe import subscribe_confirmed

app = typer.Typer(help="The people who get digests.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="A subscriber's address.")]

_USUAL = Schedule()
"""What the form proposes, too."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="The e-mail address.")],
    *,
    topics: Annotated[
        list[str] | None, typer.Option("--topic", help="A topic or pillar; repeat it; none for all.")
    ] = None,
    language: Annotated[Language, language_option()] = Language.EN,
    frequency: Annotated[Frequency, typer.Option(help="How often.")] = _USUAL.frequency,
    weekday: Annotated[str, typer.Option(help="monday to sunday, for weekly digests.")] = _WEEKDAYS[_USUAL.weekday],
    hour: Annotated[int, typer.Option(help="The local hour, 0 to 23.")] = _USUAL.hour,
    zone: Annotated[str, typer.Option(help="An IANA time zone, such as America/Toronto.")] = _USUAL.zone,
) -> None:
    """Add a person who has agreed to get digests."""
    schedule = _schedule(frequency, weekday, hour, zone)
    with installation() as opened, opened.database.write() as session:
        now = opened.clock()
        subscriber_id = subscribe_confirmed(
            session,
            address,
            topics=topics or [],
            language=language,
            schedule=schedule,
            consent={"how": "vouched for by the operator on the command line", "at": now.isoformat()},
            actor=ACTOR,
            now=now,
        )
        build_digests(session, [subscriber_id], now, opened.message_id, hold=opened.settings.hold_for_review)
    say(f"Added {address}. `monitor subscriber list` tells when the first digest is due.")


@app.command()
def export(address: Address) -> None:
    """Print all that is held about a subscriber, as JSON: what they may ask for, and can take along by themselves."""
    with installation() as opened, opened.database.read() as session:
        print_json(data.export_data(session, named_subscriber(session, address)))


@app.command()
def erase(
    address: Address,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
) -> None:
    """Erase all that is held about a subscriber, the address and its suppression included; backups still have it."""
    with installation() as opened:
        with opened.database.read() as session:
            found = named_subscriber(session, address).address
        if not yes and not typer.confirm(f"Erase all that is held about {found}?"):
            say("Nothing was erased.")
            return
        with opened.database.write() as session:
            data.erase(session, named_subscriber(session, found), actor=ACTOR, now=opened.clock())
    say(f"All that was held about {found} is erased.")


def named_subscriber(session: Session, address: str) -> SubscriberRow:
    """The subscriber with this address.

    Raises:
        NotFound: There is none.
    """
    subscriber = find_subscriber(session, normalised_address(address))
    if subscriber is None:
        raise NotFound(f"{address} is not a subscriber; see `monitor subscriber list`")
    return subscriber


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the subscribers with their topics and the time of their next digest."""
    with installation() as opened, opened.database.read() as session:
        found = list_subscribers(session)
    rows = [
        {
            "address": row.address,
            "state": row.state,
            "language": row.language,
            "frequency": row.frequency,
            "next_digest": row.next_digest_at,
            "zone": row.zone,
            "topics": topics,
        }
        for row, topics in found
    ]
    print_rows(rows, as_json=as_json, empty="No subscribers yet. `monitor subscriber add you@example.org` adds one.")


def _schedule(frequency: Frequency, weekday: str, hour: int, zone: str) -> Schedule:
    if weekday.lower() not in _WEEKDAYS:
        raise Refused(f"weekday {weekday!r}: write one of {', '.join(_WEEKDAYS)}")
    try:
        return Schedule(frequency, _WEEKDAYS.index(weekday.lower()), hour, zone)
    except ValueError as error:
        raise Refused(f"schedule: {error}") from error
