"""Trying queries for programs: over the archive, on one text or page, and words that are worth a try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Query, Request

from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.core.roles import Role
from monitor.errors import NotFound
from monitor.store.backtest import Bounds, backtest
from monitor.store.suggest import suggest_phrases
from monitor.web.access import guarded_api
from monitor.web.api.parts import Short, Text
from monitor.web.api.watches import WatchIn
from monitor.web.asked import Slug, app_of
from monitor.web.desk.topics import READ_FOR_SUGGESTIONS
from monitor.web.desk.trials import try_on_text

router = guarded_api(Role.EDITOR, tags=["watchlist"])


class TrialIn(WatchIn):
    """A query to try; ``key`` names the watch that it would replace, ``weeks`` is how far back to look."""

    key: Short = "tried"
    weeks: Annotated[int, Query(ge=1, le=520)] = 52


class TestIn(WatchIn):
    """A query to test on a text, or on the page at an address."""

    sample: Text


@dataclass(frozen=True, slots=True)
class HitOut:
    """An item that a query found."""

    item: int
    title: str
    url: str
    first_seen_at: datetime
    score: float | None


@dataclass(frozen=True, slots=True)
class PreviewOut:
    """What a query would have found; ``gained`` and ``lost`` are against what is live."""

    items: int
    hits: int
    worthy: int | None
    per_digest: float
    precision: float | None
    judged: int
    gained: int
    lost: int
    reached: datetime
    stopped_after: str
    weeks: list[int]
    newest: list[HitOut]


@dataclass(frozen=True, slots=True)
class TestOut:
    """Whether a text is found, by which words, and by what is live; ``problem`` says why there was no text."""

    found: bool
    found_by_live: bool
    score: float | None
    worthy: bool
    evidence: list[str]
    problem: str


@dataclass(frozen=True, slots=True)
class SuggestionOut:
    """Words that set a topic's items apart."""

    query: str
    in_topic: int
    elsewhere: int
    example: str


@router.post("/topics/{topic}/preview")
def preview(request: Request, topic: Slug, body: TrialIn) -> PreviewOut:
    """What a query would have found for a topic, and what would change."""
    app = app_of(request)
    since = app.clock() - timedelta(weeks=body.weeks)
    with app.database.read() as session:
        matcher = app.live.matcher(session)
        found = backtest(
            session,
            matcher,
            body.query,
            body.language,
            since,
            topic=topic,
            key=body.key,
            bounds=Bounds(seconds=15),
            sample=20,
        )
    change = found.comparison
    return PreviewOut(
        items=found.items,
        hits=found.hits,
        worthy=found.worthy,
        per_digest=found.per_digest,
        precision=found.precision,
        judged=found.judged,
        gained=change.gained if change else 0,
        lost=change.lost if change else 0,
        reached=found.reached,
        stopped_after=found.stopped_after,
        weeks=[week.hits for week in found.weeks],
        newest=[
            HitOut(hit.item_id, hit.document.title, hit.url, hit.first_seen_at, hit.finding.score)
            for hit in found.sample
        ],
    )


@router.post("/topics/{topic}/test")
async def test(request: Request, topic: Slug, body: TestIn) -> TestOut:
    """Whether a query finds one text, or the page at an address."""
    tried = await try_on_text(app_of(request), Watch(topic, "tried", body.language, body.query), body.sample.strip())
    if tried.document is None or tried.finding is None:
        return TestOut(False, False, None, False, [], tried.problem)  # noqa: FBT003 - the fields are named above
    document, finding = tried.document, tried.finding
    words = [getattr(document, one.field)[one.start : one.end] for one in finding.evidence]
    return TestOut(finding.hit, finding.before, finding.score, finding.worthy, words, "")


@router.get("/topics/{topic}/suggestions")
def suggestions(
    request: Request,
    topic: Slug,
    language: Literal["en", "fr", "es"] = "en",
) -> list[SuggestionOut]:
    """Words that set a topic's items apart from all others."""
    app = app_of(request)
    with app.database.read() as session:
        topics = app.live.matcher(session).topics
        if topic not in topics:
            raise NotFound(f"topic {topic}: no such active topic")
        found, _ = suggest_phrases(session, topics[topic], Language(language), others=READ_FOR_SUGGESTIONS)
    return [SuggestionOut(one.query, one.in_topic, one.elsewhere, one.example) for one in found]
