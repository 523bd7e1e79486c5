"""The first page: the Roadmap at a glance, the newest news, and how the sources fare."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from fastapi import Request
from fastapi.responses import HTMLResponse

from monitor.core.roles import Role
from monitor.store.items import count_items
from monitor.store.news import count_news, list_news
from monitor.store.source_health import summarise_sources
from monitor.store.watchlist import load_pillars, load_topics
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.board import load_board
from monitor.web.languages import reader_language
from monitor.web.news import show_news
from monitor.web.rendering import page

router = guarded(Role.PUBLIC)

_RECENT = timedelta(days=7)
_NEWEST = 10
_MATCHES_OF_NEWS = 5
"""How many matches are read for each piece of news: few are about more topics, or told by more agencies."""


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """Pillars and topics with their activity, the newest news, the health of the sources."""
    app = app_of(request)
    now, language = app.clock(), reader_language(request)
    with app.database.read() as session:
        topics = load_topics(session)
        board = load_board(session, load_pillars(session), topics, language, now)
        logged = list_news(session, limit=_NEWEST * _MATCHES_OF_NEWS)
        found = count_news(session, now - _RECENT, now)
        read = count_items(session, now - _RECENT)
        sources = summarise_sources(session)
    names = {topic.id: topic.names[language] for topic in topics}
    charts = [topic.chart for pillar in board for topic in pillar.topics]
    return page(
        request,
        "home.html",
        now=now,
        board=board,
        ever=bool(logged),
        topics=len(topics),
        lively=sum(chart.last > 0 for chart in charts),
        found=found,
        read=read,
        newest=list(islice(show_news(logged, names, language), _NEWEST)),
        sources=sources,
    )
