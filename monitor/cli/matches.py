"""``monitor matches``: the match log, with the filters of the page, as a table, JSON or a file."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from monitor.cli.installation import installation
from monitor.cli.output import AsJson, print_rows, say
from monitor.review.exports import Format, line_values, write_log
from monitor.review.filters import LogQuery
from monitor.review.log import LogLine, log_page, whole_log


def matches(
    *,
    pillar: Annotated[str, typer.Option(help="Only this pillar.")] = "",
    topic: Annotated[str, typer.Option(help="Only this topic.")] = "",
    source: Annotated[str, typer.Option(help="Only this source, by its slug.")] = "",
    agency: Annotated[str, typer.Option(help="Only this agency.")] = "",
    country: Annotated[str, typer.Option(help="Only agencies of this country, such as CA.")] = "",
    language: Annotated[str, typer.Option(help="en, fr or es.")] = "",
    since: Annotated[str, typer.Option(help="News from this day on, such as 2026-11-01 (UTC).")] = "",
    until: Annotated[str, typer.Option(help="News up to this day.")] = "",
    min_score: Annotated[str, typer.Option(help="The least score, in percent.")] = "",
    max_score: Annotated[str, typer.Option(help="The greatest score, in percent.")] = "",
    verdict: Annotated[str, typer.Option(help="open, judged, relevant, noise or starred.")] = "",
    worthy: Annotated[
        bool | None, typer.Option("--worthy/--passing", help="Only what a digest carries, or only mentions in passing.")
    ] = None,
    assignee: Annotated[str, typer.Option(help="The address of whoever is to judge, or nobody.")] = "",
    text: Annotated[str, typer.Option(help="Words that are all in the item.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 20,
    after: Annotated[str, typer.Option(help="Continue after the page that ended with this cursor.")] = "",
    export: Annotated[
        Format | None, typer.Option(help="Write all of it to standard output: csv, jsonl or atom.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what was found, the newest news first, with the sentence that shows why."""
    asked = {name: value for name, value in locals().items() if name in LogQuery.__dataclass_fields__}
    query = LogQuery.of({**asked, "worthy": {None: "", True: "digest", False: "passing"}[worthy]})
    with installation() as app, app.database.read() as session:
        if export:
            parts = write_log(whole_log(session, query), export, base_url=app.settings.base_url, now=app.clock())
            sys.stdout.writelines(parts)
            return
        page = log_page(session, query, after=after, limit=limit)
    rows = [line_values(line) if as_json else _row(line) for line in page.rows]
    print_rows(rows, as_json=as_json, empty="No matches. `monitor poll` visits the sources that are due.")
    if page.following and not as_json:
        say(f"More: --after {page.following}")


def _row(line: LogLine) -> dict[str, Any]:
    match = line.match
    return {
        "id": match.id,
        "topic": match.topic,
        "score": match.score,
        "verdict": match.verdict or None,
        "news": match.news_at,
        "agency": match.document.agency,
        "title": match.document.title,
        "why": "".join(f"«{text}»" if marked else text for text, marked in line.shown.parts),
        "url": match.url,
    }
