"""What everybody may read of the news: pillars, topics, and the search."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from sqlmodel import Session

from monitor.core.languages import Language
from monitor.core.nouns import Topic
from monitor.core.paging import cursor as cursor_of
from monitor.core.paging import page_of
from monitor.core.roles import Role
from monitor.matching.excerpt import excerpt
from monitor.store.matches import LoggedMatch
from monitor.store.news import WEEK, Publisher, list_news, publishers, weekly_counts
from monitor.store.search import Hit, Search, search
from monitor.store.watchlist import load_pillars, load_topic, load_topics
from monitor.web.access import guarded_api
from monitor.web.api.parts import Cursor, Day, Limit, Listed
from monitor.web.asked import app_of, place_of
from monitor.web.board import WEEKS

router = guarded_api(Role.PUBLIC, tags=["public"])


@dataclass(frozen=True, slots=True)
class PillarOut:
    """One of the Roadmap's six priorities, with the ids of its topics; names by language."""

    id: str
    names: dict[str, str]
    topics: list[str]


@dataclass(frozen=True, slots=True)
class TopicOut:
    """A topic; ``weeks`` is how much news it had in each of the last 26 times seven days, the oldest first."""

    id: str
    pillar: str
    names: dict[str, str]
    weeks: list[int]


@dataclass(frozen=True, slots=True)
class TopicDetail:
    """A topic with those who published its news in the last 26 weeks."""

    topic: TopicOut
    publishers: list[Publisher]


@dataclass(frozen=True, slots=True)
class NewsOut:
    """An item as a list shows it; ``sentence`` shows why, ``url`` is where it was published."""

    item: int
    title: str
    url: str
    agency: str
    country: str
    language: str
    published_at: datetime | None
    first_seen_at: datetime
    sentence: str
    terms: list[str]
    score: float | None = None
    story: int | None = None


@router.get("/pillars")
def pillars(request: Request) -> list[PillarOut]:
    """The six priorities, in the Roadmap's order."""
    app = app_of(request)
    with app.database.read() as session:
        topics = load_topics(session)
        found = load_pillars(session)
    return [
        PillarOut(one.id, dict(one.names), [topic.id for topic in topics if topic.pillar == one.id]) for one in found
    ]


@router.get("/topics")
def topics(request: Request) -> list[TopicOut]:
    """All topics, in the Roadmap's order."""
    app = app_of(request)
    with app.database.read() as session:
        return _topics_out(session, load_topics(session), app.clock())


@router.get("/topics/{topic_id}")
def topic(request: Request, topic_id: str) -> TopicDetail:
    """A topic, and who published its news."""
    app = app_of(request)
    now = app.clock()
    with app.database.read() as session:
        (found,) = _topics_out(session, [load_topic(session, topic_id)], now)
        return TopicDetail(found, publishers(session, topic_id, now - WEEKS * WEEK))


@router.get("/topics/{topic_id}/items")
def topic_items(request: Request, topic_id: str, cursor: Cursor = "", limit: Limit = 50) -> Listed[NewsOut]:
    """A topic's news, the latest published first."""
    app = app_of(request)
    with app.database.read() as session:
        load_topic(session, topic_id)
        rows = list_news(session, [topic_id], before=place_of(cursor), limit=limit + 1)
    shown = page_of(rows, limit, lambda match: (match.news_at, match.id))
    return Listed(list(map(_news_out, shown.rows)), shown.following or None)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search asks for; see the page /search for the language of ``q``."""

    q: Annotated[str, Query(min_length=1, max_length=2000)]
    language: Annotated[Language, Query(description="Of the items.")] = Language.ANY
    topic: Annotated[str, Query(description="Only news of this topic; empty for all items.")] = ""
    since: Day = None
    until: Day = None

    @property
    def wanted(self) -> Search:
        """The search, by times instead of days."""
        until = _midnight(self.until) + timedelta(days=1) if self.until else None
        return Search(self.q, self.language, self.topic, _midnight(self.since) if self.since else None, until)


@router.get("/search")
def search_items(
    request: Request, asked: Annotated[Asked, Depends()], cursor: Cursor = "", limit: Limit = 20
) -> Listed[NewsOut]:
    """The items of which a query is true, the latest published first; a page may hold fewer than asked for."""
    app = app_of(request)
    with app.database.read() as session:
        if asked.topic:
            load_topic(session, asked.topic)
        results = search(session, asked.wanted, before=place_of(cursor), limit=limit)
    following = cursor_of(*results.following) if results.following else None
    return Listed(list(map(_hit_out, results.hits)), following)


def _topics_out(session: Session, found: list[Topic] | tuple[Topic, ...], now: datetime) -> list[TopicOut]:
    counts = weekly_counts(session, now, weeks=WEEKS, topics=[topic.id for topic in found])
    return [TopicOut(topic.id, topic.pillar, dict(topic.names), list(counts[topic.id])) for topic in found]


def _news_out(match: LoggedMatch) -> NewsOut:
    return NewsOut(
        item=match.item_id,
        **_shown(match),
        score=match.score,
        story=match.story_id,
    )


def _hit_out(hit: Hit) -> NewsOut:
    return NewsOut(item=hit.item_id, **_shown(hit))


def _shown(one: LoggedMatch | Hit) -> dict[str, Any]:
    document = one.document
    return {
        "title": document.title,
        "url": one.url,
        "agency": document.agency,
        "country": document.country,
        "language": document.language or "",
        "published_at": one.published_at,
        "first_seen_at": one.first_seen_at,
        "sentence": str(excerpt(document, one.evidence)),
        "terms": list(dict.fromkeys(place.term for place in one.evidence)),
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
