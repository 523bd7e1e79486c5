"""A topic, or a whole pillar: its activity, who published, and all its news by time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from monitor.core.languages import Language
from monitor.core.nouns import Topic
from monitor.core.paging import Page, page_of
from monitor.core.roles import Role
from monitor.store.matches import LoggedMatch
from monitor.store.news import WEEK, by_country, list_news, publishers
from monitor.store.watchlist import load_pillar, load_topic, load_topics
from monitor.translations import month
from monitor.web.access import guarded
from monitor.web.asked import app_of, place_of
from monitor.web.board import WEEKS, load_board
from monitor.web.charts import bar_chart
from monitor.web.languages import reader_language
from monitor.web.news import ShownNews, show_news
from monitor.web.rendering import page

router = guarded(Role.PUBLIC)

_ON_A_PAGE = 40
_PUBLISHERS = 12


@router.get("/topics/{topic_id}")
def show_topic(request: Request, topic_id: str, before: str = "") -> HTMLResponse:
    """A topic with its activity, who published, and a page of its news."""
    app = app_of(request)
    now, language = app.clock(), reader_language(request)
    with app.database.read() as session:
        topic = load_topic(session, topic_id)
        (pillar,) = load_board(session, [load_pillar(session, topic.pillar)], [topic], language, now)
        found = publishers(session, topic_id, now - WEEKS * WEEK)
        news = news_page(session, [topic_id], before)
    (shown,) = pillar.topics
    countries = by_country(found)
    return page(
        request,
        "topic.html",
        now=now,
        topic=shown,
        pillar=pillar,
        chart=bar_chart(shown.chart.counts, width=780, height=120),
        weeks=_weeks(shown.chart.counts, now),
        publishers=found[:_PUBLISHERS],
        more_publishers=len(found[_PUBLISHERS:]),
        countries=countries,
        months=by_month(show_news(news.rows, {}, language), language),
        following=news.following,
        first=not before,
    )


@router.get("/pillars/{pillar_id}")
def show_pillar(request: Request, pillar_id: str, before: str = "") -> HTMLResponse:
    """A pillar with its topics and a page of their news."""
    app = app_of(request)
    now, language = app.clock(), reader_language(request)
    with app.database.read() as session:
        pillar = load_pillar(session, pillar_id)
        topics = [topic for topic in load_topics(session) if topic.pillar == pillar_id]
        (shown,) = load_board(session, [pillar], topics, language, now)
        news = news_page(session, [topic.id for topic in topics], before)
    return page(
        request,
        "pillar.html",
        now=now,
        pillar=shown,
        ever=bool(news.rows),
        months=by_month(show_news(news.rows, _names(topics, language), language), language),
        following=news.following,
        first=not before,
    )


def news_page(session: Session, topics: Sequence[str], before: str) -> Page[LoggedMatch]:
    """A page of the news of some topics, by the cursor of the page before.

    Raises:
        Refused: The cursor is none of ours.
    """
    rows = list_news(session, topics, before=place_of(before), limit=_ON_A_PAGE + 1)
    return page_of(rows, _ON_A_PAGE, lambda match: (match.news_at, match.id))


def by_month(news: Iterable[ShownNews], language: Language) -> list[tuple[str, list[ShownNews]]]:
    """The news under the months of their publication, in their order."""
    named = groupby(news, key=lambda one: month(one.match.news_at, language))
    return [(name, list(of_month)) for name, of_month in named]


def _weeks(counts: Sequence[int], now: datetime) -> list[tuple[datetime, int]]:
    """Each week by its first day, the latest first."""
    return [(now - (number + 1) * WEEK, count) for number, count in enumerate(reversed(counts))]


def _names(topics: Iterable[Topic], language: Language) -> dict[str, str]:
    return {topic.id: topic.names[language] for topic in topics}
