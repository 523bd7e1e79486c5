"""``monitor matches``: the match log."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from monitor.cli.installation import installation
from monitor.cli.output import AsJson, print_rows
from monitor.matching.excerpt import excerpt
from monitor.store.matches import LoggedMatch, list_matches


def matches(
    *,
    topic: Annotated[str | None, typer.Option(help="Only this topic.")] = None,
    worthy: Annotated[
        bool | None, typer.Option("--worthy/--passing", help="Only what a digest carries, or only mentions in passing.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 20,
    before: Annotated[int | None, typer.Option(help="Continue after the match with this id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what was found, newest first, with the sentence that shows why."""
    with installation() as app, app.database.read() as session:
        found = list_matches(session, topic=topic, worthy=worthy, before_id=before, limit=limit)
    rows = [_row(match) for match in found]
    print_rows(rows, as_json=as_json, empty="No matches yet. `monitor poll` visits the sources that are due.")


def _row(match: LoggedMatch) -> dict[str, Any]:
    shown = excerpt(match.document, match.evidence, limit=160)
    sentence = "".join(f"«{text}»" if marked else text for text, marked in shown.parts)
    return {
        "id": match.id,
        "topic": match.topic,
        "score": match.score,
        "seen": match.first_seen_at,
        "agency": match.document.agency,
        "title": match.document.title,
        "why": sentence,
        "url": match.url,
    }
