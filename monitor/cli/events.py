"""``monitor events``: the audit trail."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.installation import installation
from monitor.cli.output import AsJson, print_rows, say
from monitor.core.ids import MOST_ID
from monitor.store.events import StoredEvent, audit_trail


def events(
    *,
    noun: Annotated[str, typer.Option(help="Only what happened to things of a kind, such as watch or source.")] = "",
    noun_id: Annotated[str, typer.Option("--id", help="Only what happened to this one, such as norad/en.")] = "",
    actor: Annotated[str, typer.Option(help="Only what this person did, by their address.")] = "",
    before: Annotated[
        int | None, typer.Option(max=MOST_ID, help="Only what happened before the event of this id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List who changed what, the latest first."""
    with installation() as app, app.database.read() as session:
        found = audit_trail(session, noun=noun, noun_id=noun_id, actor=actor, before_id=before, limit=limit)
    print_rows([_row(event, as_json=as_json) for event in found], as_json=as_json, empty="Nothing has happened yet.")
    if len(found) == limit and not as_json:
        say(f"More: --before {found[-1].id}")


def _row(event: StoredEvent, *, as_json: bool) -> dict[str, object]:
    thing = {"noun": event.noun, "noun_id": event.noun_id, "detail": dict(event.detail)}
    shown = thing if as_json else {"thing": f"{event.noun} {event.noun_id}".strip()}
    return {"id": event.id, "at": event.at, "actor": event.actor, "action": event.action, **shown}
