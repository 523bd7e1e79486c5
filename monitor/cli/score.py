"""``monitor score``: where a score comes from, and fitting its weights."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from monitor.app import App
from monitor.cli.installation import installation
from monitor.cli.output import progress_bar, say
from monitor.core.ids import MOST_ID
from monitor.errors import NotFound, Refused
from monitor.matching.concept import topic_evidence
from monitor.matching.fit import fit
from monitor.matching.labels import Graded, Release, grade_matches, read_labels, read_releases
from monitor.matching.score import explain, score
from monitor.store.graded import judged_matches
from monitor.store.items import load_documents
from monitor.store.live_watchlist import Matcher

app = typer.Typer(help="The score of matches: how likely a reviewer would call one relevant.", no_args_is_help=True)

Releases = Annotated[Path | None, typer.Option("--releases", help="Releases as JSON lines, plain or gzip.")]
Labels = Annotated[Path | None, typer.Option("--labels", help="Grades as CSV: topic, url, grade of 0, 1 or 2.")]
Verdicts = Annotated[bool, typer.Option("--from-verdicts", help="Take what reviewers have said of matches, too.")]


@app.command("fit")
def fit_score(
    *,
    releases: Releases = None,
    labels: Labels = None,
    from_verdicts: Verdicts = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="The score file to write; standard output if left out.")
    ] = None,
) -> None:
    """Fit the score's weights on graded labels, reviewers' verdicts or both; the words that it reads stay.

    Needs the extra roadmap-monitor[fit].
    """
    with installation() as opened:
        matcher, rows = read_graded(opened, releases, labels, from_verdicts=from_verdicts)
        text = fit(rows, matcher.model.word_lists, opened.clock().date())
    if out is None:
        typer.echo(text, nl=False)
        return
    _write(out, text)
    say(f"Wrote {out}, fitted on {sum(bool(row.evidence) for row in rows)} matches; its report is by cross-validation.")


@app.command("explain")
def explain_score(
    item: Annotated[
        int, typer.Argument(max=MOST_ID, help="The item's number, as `monitor matches` and `watch test` print it.")
    ],
    topic: Annotated[str, typer.Argument(help="The topic, such as norad.")],
) -> None:
    """Say in words what raised and what lowered the score of an item for a topic, by the watches as they are now."""
    with installation() as opened, opened.database.read() as session:
        matcher = opened.live.matcher(session)
        stored = load_documents(session, [item])
    if not stored:
        raise NotFound(f"item {item}: there is no such item")
    if topic not in matcher.topics:
        raise NotFound(f"topic {topic!r}: no such topic; the topics are {', '.join(matcher.topics)}")
    document, threshold = stored[0].document, matcher.topics[topic].threshold
    evidence = topic_evidence(matcher.watchlist.match(document)).get(topic, ())
    say(document.title)
    if not evidence:
        say(f"No watch of {topic} finds anything in it.")
        raise typer.Exit(1)
    found = score(document, matcher.topics[topic], evidence, matcher.model)
    verdict = "worth a digest" if found.value >= threshold else "a mention in passing"
    say(f"{found.value:.2f} of 1, and {topic} asks for {threshold:g}: {verdict}.")
    for sentence in explain(found):
        say(f"  {sentence}")


def read_graded(
    opened: App, releases: Path | None, labels: Path | None, *, from_verdicts: bool
) -> tuple[Matcher, list[Graded]]:
    """What is graded, in files, by reviewers or both, with what the watchlist finds there; and the matcher.

    Raises:
        Refused: Nothing was named, one of the two files alone, or a file cannot be read.
        SettingError: A file does not hold what it should.
    """
    if (releases is None) != (labels is None):
        raise Refused("releases, labels: name both files, since each grade is of a release")
    if releases is None and not from_verdicts:
        raise Refused("nothing to learn from: name --releases and --labels, or --from-verdicts, or all three")
    with opened.database.read() as session:
        matcher = opened.live.matcher(session)
        rows = list(judged_matches(session, matcher)) if from_verdicts else []
    return matcher, rows + (_of_files(matcher, releases, labels) if releases and labels else [])


def _of_files(matcher: Matcher, releases: Path, labels: Path) -> list[Graded]:
    try:
        with labels.open(encoding="utf-8-sig", newline="") as file:
            wanted = read_labels(file)
        return list(grade_matches(_releases(releases), wanted, matcher.watchlist, matcher.topics))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Refused(f"{releases} or {labels} cannot be read: {error}") from error


def _releases(path: Path) -> Iterator[Release]:
    """The releases of a file, with a progress bar by what is read of it."""
    with path.open("rb") as raw, progress_bar() as bar:
        task = bar.add_task("reading releases, in kB", total=path.stat().st_size // 1000)
        compressed = raw.peek(2)[:2] == b"\x1f\x8b"
        with gzip.open(raw, "rt", encoding="utf-8") if compressed else path.open(encoding="utf-8") as lines:
            for release in read_releases(lines):
                yield release
                bar.update(task, completed=raw.tell() // 1000)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
