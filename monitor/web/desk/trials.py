"""Trying a watch before it is one: over the archive, and on one text or page."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from monitor.app import App
from monitor.core.nouns import Document, Watch
from monitor.matching.backtest import Finding, Trial
from monitor.polling.examine import read_document
from monitor.polling.fetch import Failed
from monitor.store.backtest import Backtest, Bounds, backtest
from monitor.texts import marked as _
from monitor.web.charts import Chart, bar_chart
from monitor.web.desk.watch_form import WatchForm

_SHOWN = 10

AS_TYPED = Bounds(seconds=1.5)
ON_DEMAND = Bounds(seconds=15)
"""What a preview may cost: while somebody types, and when they ask for it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page shows of a query on trial."""

    found: Backtest
    chart: Chart


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of testing a query on one text: the text and what was found, or why there was no text."""

    document: Document | None = None
    finding: Finding | None = None
    problem: str = ""
    threshold: float = 0.0
    """The score from which on a match is worth a digest, where the topic is known."""


async def try_on_text(app: App, watch: Watch, sample: str) -> Tested:
    """Try a watch on a text, its first line being the title, or on the page at an address."""
    if not sample:
        return Tested(problem=_("Paste a text, or the address of a page."))
    document = await _document(app, sample)
    if isinstance(document, Failed):
        return Tested(problem=document.detail)
    return await run_in_threadpool(_try, app, watch, document)


async def _document(app: App, sample: str) -> Document | Failed:
    if not sample.lower().startswith(("http://", "https://")) or len(sample.split()) > 1:
        title, _line, body = sample.partition("\n")
        return Document(title=title.strip(), body=body.strip()) if body else Document(title="", body=title)
    async with app.make_fetcher() as fetcher:
        return await read_document(fetcher, sample)


def _try(app: App, watch: Watch, document: Document) -> Tested:
    with app.database.read() as session:
        matcher = app.live.matcher(session)
    topic = matcher.topics.get(watch.topic)
    finding = Trial(watch, topic, matcher.model).run(document)
    return Tested(document, finding, threshold=topic.threshold if topic else 0.0)


def preview(app: App, form: WatchForm, bounds: Bounds) -> Preview | None:
    """What the watch of a form would have found; None where the form makes none."""
    if (watch := form.watch) is None:
        return None
    with app.database.read() as session:
        matcher = app.live.matcher(session)
        topic = watch.topic if watch.topic in matcher.topics else None
        found = backtest(
            session,
            matcher,
            watch.query,
            watch.language,
            form.since(app.clock()),
            topic=topic,
            key=watch.key,
            bounds=bounds,
            sample=_SHOWN,
        )
    hits = [week.hits for week in found.weeks]
    labels = [f"{week.monday.isoformat()}: {week.hits}" for week in found.weeks]
    return Preview(
        found, bar_chart(hits, parts=[week.worthy for week in found.weeks] if topic else hits, labels=labels)
    )
