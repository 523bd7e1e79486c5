"""The first page: the Roadmap at a glance, the newest matches, and how the watching goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from fastapi import Request
from fastapi.responses import HTMLResponse

from monitor.app import App
from monitor.core.nouns import Pillar, Topic
from monitor.core.roles import Role
from monitor.matching.excerpt import Excerpt, excerpt
from monitor.store import items, matches, source_health, sources, watchlist
from monitor.store.matches import LoggedMatch, TopicActivity
from monitor.tasks import TICKS
from monitor.web.access import guarded
from monitor.web.rendering import page

router = guarded(Role.PUBLIC)

_RECENT = timedelta(days=7)
_NEWEST = 10
_TOPICS_OF_AN_ITEM = 4
"""How many matches are read for each item shown: few items are about more topics than that."""

_JOBS = {tick.name: tick.says for tick in TICKS}


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item of the newest ones: its best match, the sentence that shows why, and the topics that it is about."""

    match: LoggedMatch
    shown: Excerpt
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownTopic:
    """A topic with its activity; ``share`` is its part, 0 to 100, of the busiest topic's recent matches."""

    name: str
    activity: TopicActivity
    share: float


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """Pillars and topics with their activity, the newest matches, the health of the sources, the next runs."""
    app: App = request.app.state.app
    now = app.clock()
    with app.database.read() as session:
        pillars = watchlist.load_pillars(session)
        topics = watchlist.load_topics(session)
        logged = matches.list_matches(session, worthy=True, limit=_NEWEST * _TOPICS_OF_AN_ITEM)
        activity = matches.topic_activity(session, now - _RECENT)
        read = items.count_items(session, now - _RECENT)
        summary = source_health.summarise_sources(session)
        active = [row for row in sources.list_sources(session) if row.state == "active"]
    names = {topic.id: topic.names["en"] for topic in topics}
    next_runs = request.app.state.next_runs()
    return page(
        request,
        "home.html",
        now=now,
        pillars=show_pillars(pillars, topics, activity),
        ever=bool(activity),
        topics=len(topics),
        lively=sum(seen.recent > 0 for seen in activity.values()),
        found=sum(seen.recent for seen in activity.values()),
        read=read,
        newest=list(islice(show_items(logged, names), _NEWEST)),
        sources=summary,
        last_visit=max((row.last_polled_at for row in active if row.last_polled_at), default=None),
        failing=[row for row in active if row.failures],
        next_runs=[(_JOBS.get(job, job), moment) for job, moment in next_runs.items()],
        settings=app.settings,
    )


def show_pillars(
    pillars: Iterable[Pillar], topics: Iterable[Topic], activity: Mapping[str, TopicActivity]
) -> list[tuple[str, list[ShownTopic]]]:
    """The pillars by name, each with its topics, in the Roadmap's order."""
    busiest = max((seen.recent for seen in activity.values()), default=0) or 1
    by_pillar: dict[str, list[ShownTopic]] = {}
    for topic in topics:
        seen = activity.get(topic.id, TopicActivity(0, None))
        shown = ShownTopic(topic.names["en"], seen, 100 * seen.recent / busiest)
        by_pillar.setdefault(topic.pillar, []).append(shown)
    return [(pillar.names["en"], by_pillar.get(pillar.id, [])) for pillar in pillars]


def show_items(logged: Iterable[LoggedMatch], names: Mapping[str, str]) -> Iterable[ShownItem]:
    """The items of these matches, each once, the latest publication first."""
    by_item: dict[int, list[LoggedMatch]] = {}
    for match in sorted(logged, key=lambda match: match.published_at or match.first_seen_at, reverse=True):
        by_item.setdefault(match.item_id, []).append(match)
    for found in by_item.values():
        best, *others = sorted(found, key=lambda match: -match.score)
        topics = tuple(names.get(match.topic, match.topic) for match in (best, *others))
        yield ShownItem(best, excerpt(best.document, best.evidence), topics)
