"""``monitor watch``: try a query before it is a watch, find words for it, and measure the whole watchlist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import typer

from monitor.cli.installation import installation
from monitor.cli.options import language_option
from monitor.cli.output import AsJson, console, errors, print_json, print_rows, progress_bar, say
from monitor.cli.score import Labels, Releases, Verdicts, read_graded
from monitor.core.languages import Language
from monitor.errors import NotFound, QueryError, Refused
from monitor.matching.accuracy import Outcome, Report, TopicReport, evaluate
from monitor.matching.backtest import TRIED, Week
from monitor.matching.excerpt import excerpt
from monitor.matching.fit import cross_validate, outcomes
from monitor.store.backtest import Backtest, Bounds, Sample, backtest
from monitor.store.suggest import suggest_phrases

app = typer.Typer(help="The queries that find items.", no_args_is_help=True)

TopicOption = Annotated[str | None, typer.Option(help="The topic that the query is for, such as norad.")]


@app.command("test")
def try_query(
    query: Annotated[str, typer.Argument(help="The query, as docs/query-language.md tells.")],
    *,
    language: Annotated[Language, typer.Option("--lang", help="en, fr, es, or any.")] = Language.ANY,
    since: Annotated[str, typer.Option(help="How far back: 2y, 18m, 6w, 90d, or a day as 2024-11-23.")] = "2y",
    topic: TopicOption = None,
    key: Annotated[str, typer.Option(help="The watch of the topic that the query would replace.")] = TRIED,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest hits to print.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="Stop after so long, and tell how far it got.")] = 120,
    as_json: AsJson = False,
) -> None:
    """Run a query over the stored items: hits per week, the newest hits, and what would change for its topic."""
    with installation() as opened, opened.database.read() as session, progress_bar() as bar:
        task = bar.add_task("searching", total=None)
        try:
            found = backtest(
                session,
                opened.live.matcher(session),
                query,
                language,
                _start(since, opened.clock()),
                topic=topic,
                key=key,
                bounds=Bounds(seconds=seconds),
                sample=limit,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except QueryError as error:
            _point_at(query, error.position)
            raise
    if as_json:
        print_json(_backtest_json(found))
    else:
        _print_backtest(found)


@app.command("suggest")
def suggest_words(
    topic: Annotated[str, typer.Argument(help="The topic, such as norad.")],
    *,
    language: Annotated[Language, language_option("--lang")] = Language.EN,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many phrases.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Suggest words for a topic's watches: those that set its items apart from all others."""
    with installation() as opened, opened.database.read() as session, progress_bar() as bar:
        topics = opened.live.matcher(session).topics
        if topic not in topics:
            raise NotFound(f"topic {topic!r}: no such topic; the topics are {', '.join(topics)}")
        task = bar.add_task("reading", total=None)
        found, items = suggest_phrases(
            session,
            topics[topic],
            language,
            most=limit,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    rows = [
        {
            "query": suggestion.query,
            "in_topic": suggestion.in_topic,
            "elsewhere": suggestion.elsewhere,
            "strength": round(suggestion.strength, 1),
            "example": suggestion.example,
        }
        for suggestion in found
    ]
    empty = f"Nothing sets the {items} items of {topic} in {language.value} apart that its watches do not say already."
    print_rows(rows, as_json=as_json, empty=empty)
    if rows and not as_json:
        say(f"\nFrom {items} items. To try them: monitor watch test --topic {topic} --lang {language.value} \\")
        say(f"  '{' OR '.join(suggestion.query for suggestion in found)}'")


@app.command("evaluate")
def evaluate_watchlist(
    *,
    releases: Releases = None,
    labels: Labels = None,
    from_verdicts: Verdicts = False,
    cross_validated: Annotated[
        bool,
        typer.Option("--cross-validate", help="Score by models fitted without the item: for labels of the fit."),
    ] = False,
    show_errors: Annotated[bool, typer.Option("--errors", help="List the labels that the score gets wrong.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the watchlist on graded labels: precision, recall and F1, of what matched and what is worth a digest.

    Verdicts are of matches only: by them alone, recall says nothing of what was never found.
    """
    with installation() as opened:
        matcher, rows = read_graded(opened, releases, labels, from_verdicts=from_verdicts)
    if not rows:
        raise Refused("none of the labels is about a release of the archive or an item, and a topic that is watched")
    scored = cross_validate(rows, matcher.model.word_lists) if cross_validated else outcomes(rows, matcher.model)
    report = evaluate(scored)
    if as_json:
        print_json(_report_json(report, show_errors=show_errors))
        return
    for line in _report_lines(report):
        say(line)
    if show_errors:
        say("")
        print_rows([_error_row(outcome) for outcome in report.errors], as_json=False, empty="No errors.")


# ---- what a backtest looks like ------------------------------------------------------------------------------------

_BARS = " ▁▂▃▄▅▆▇█"
_UNITS = {"d": 1, "w": 7, "m": 30.44, "y": 365.25}


def _start(since: str, now: datetime) -> datetime:
    """The time that ``2y`` or a date stands for."""
    try:
        if length := re.fullmatch(r"(\d{1,4})([dwmy])", since.strip()):
            return now - timedelta(days=int(length[1]) * _UNITS[length[2]])
        return datetime.combine(date.fromisoformat(since.strip()), time(), UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(f"since {since!r}: write 2y, 18m, 6w, 90d, or a day as 2024-11-23") from error


def _point_at(query: str, position: int) -> None:
    """Print the part of the query around a problem, and a caret under the character."""
    width = max(20, errors.width - 4)
    start = max(0, position - width // 2)
    line = "".join(sign if sign.isprintable() else " " for sign in query)
    errors.print(f"  {line[start : start + width]}", markup=False, highlight=False)
    errors.print(f"  {' ' * (position - start)}^", markup=False, highlight=False)


def _print_backtest(found: Backtest) -> None:
    rows = [_sample_row(sample) for sample in found.sample]
    print_rows(rows, as_json=False, empty="Nothing is found.")
    say("")
    for line in _summary(found):
        say(line)


def _summary(found: Backtest) -> list[str]:
    lines = [f"{found.hits:,} of {found.items:,} items since {found.reached:%Y-%m-%d} match."]
    if found.worthy is not None:
        lines[0] += f" {found.worthy:,} are worth a digest."
    if found.stopped_after:
        lines.append(
            f"Stopped after {found.candidates:,} candidates ({found.stopped_after}): older items were not read."
        )
    if found.weeks:
        chart, size = _chart(found.weeks, console.width)
        busiest = max(week.hits for week in found.weeks)
        lines.append(f"Hits per week from {found.weeks[0].monday} to {found.weeks[-1].monday}, at most {busiest}:")
        lines.append(chart + (f"  (a sign is {size} weeks)" if size > 1 else ""))
        lines.append(f"To expect: {found.per_digest:g} in a weekly digest (the median of the weeks).")
    if change := found.comparison:
        lines.append(f"Against {change.compared_with}: {change.gained:,} gained, {change.lost:,} lost.")
        lines += [f"  + {sample.document.title}" for sample in change.gained_sample[:5]]
        lines += [f"  - {sample.document.title}" for sample in change.lost_sample[:5]]
    if found.precision is not None:
        lines.append(f"Precision: {found.precision:.0%} of the {found.judged} hits that reviewers have judged.")
    return lines


def _chart(weeks: Sequence[Week], width: int) -> tuple[str, int]:
    """A sign for each week, or for as many weeks as make the chart fit; and for how many."""
    size = -(-len(weeks) // max(20, width - 30))
    sums = [sum(week.hits for week in weeks[start : start + size]) for start in range(0, len(weeks), size)]
    most = max(sums) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in sums), size


def _sample_row(sample: Sample) -> dict[str, Any]:
    shown = excerpt(sample.document, sample.finding.evidence, limit=160)
    row: dict[str, Any] = {
        "item": sample.item_id,
        "seen": sample.first_seen_at,
        "title": sample.document.title,
        "why": "".join(f"«{text}»" if marked else text for text, marked in shown.parts),
    }
    if sample.finding.score is not None:
        row["score"] = sample.finding.score
    return row


def _backtest_json(found: Backtest) -> dict[str, Any]:
    change = found.comparison
    return {
        "reached": found.reached,
        "stopped_after": found.stopped_after or None,
        "items": found.items,
        "candidates": found.candidates,
        "hits": found.hits,
        "worthy": found.worthy,
        "per_digest": found.per_digest,
        "precision": found.precision,
        "judged": found.judged,
        "weeks": [{"monday": week.monday, "hits": week.hits, "worthy": week.worthy} for week in found.weeks],
        "sample": [_sample_json(sample) for sample in found.sample],
        "comparison": change
        and {
            "compared_with": change.compared_with,
            "gained": change.gained,
            "lost": change.lost,
            "gained_sample": [_sample_json(sample) for sample in change.gained_sample],
            "lost_sample": [_sample_json(sample) for sample in change.lost_sample],
        },
    }


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {**_sample_row(sample), "url": sample.url, "score": sample.finding.score, "worthy": sample.finding.worthy}


# ---- what an evaluation looks like ---------------------------------------------------------------------------------


def _report_lines(report: Report) -> list[str]:
    width = max(len(row.topic) for row in report.topics)
    rates = f"{'precision':>10}{'recall':>8}{'F1':>6}"
    lines = [f"{'':{width}}{'matched':>10}{'':>14}   worth a digest", f"{'topic':{width}}{rates}{rates}"]
    for row in (*report.topics, report.overall):
        counts = (f"{count.precision:10.2f}{count.recall:8.2f}{count.f1:6.2f}" for count in (row.matched, row.worthy))
        lines.append(f"{row.topic:{width}}{''.join(counts)}")
    return lines


def _error_row(outcome: Outcome) -> dict[str, Any]:
    return {
        "topic": outcome.topic.id,
        "error": "missed" if outcome.label.relevant else "noise",
        "score": outcome.score,
        "title": outcome.title,
        "reason": outcome.label.reason,
        "url": outcome.label.url,
    }


def _report_json(report: Report, *, show_errors: bool) -> dict[str, Any]:
    def numbers(row: TopicReport) -> dict[str, Any]:
        return {
            name: {
                "precision": count.precision,
                "recall": count.recall,
                "f1": count.f1,
                "right": count.right,
                "wrong": count.wrong,
                "missed": count.missed,
            }
            for name, count in (("matched", row.matched), ("worthy", row.worthy))
        }

    document: dict[str, Any] = {
        "overall": numbers(report.overall),
        "topics": {row.topic: numbers(row) for row in report.topics},
    }
    return document | ({"errors": [_error_row(outcome) for outcome in report.errors]} if show_errors else {})
