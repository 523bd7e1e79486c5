"""Reading the pages of items whose feed gives a summary only: once each, at the pace that the site asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.languages import primary_language
from monitor.polling.article import Article, read_article
from monitor.polling.fetch import Failed, FailureKind, Fetched, Fetcher, Outcome
from monitor.polling.robots import Robots
from monitor.store import articles, items
from monitor.store.articles import WantedArticle
from monitor.store.engine import Database

PER_SOURCE = 20
"""Pages of a source that are read in a row; the rest comes with the next claim."""

_REST = timedelta(hours=1)
"""How long a site's pages are left alone after trouble, unless it asks for longer."""

_LOST = frozenset({FailureKind.NOT_FOUND, FailureKind.GONE, FailureKind.BAD_URL, FailureKind.REFUSED_ADDRESS})
"""What is true of the one page. Everything else is true of the site: it is left alone for a while."""

_GONE = frozenset({FailureKind.NOT_FOUND, FailureKind.GONE})
"""With these, an item that its source leaves out has been withdrawn."""


@dataclass(frozen=True, slots=True)
class ArticlesReport:
    """Of which items, by id, the texts were read, and how many pages were given up."""

    read: Sequence[int]
    given_up: int


async def read_articles(
    database: Database,
    fetcher: Fetcher,
    source_ids: Sequence[int],
    *,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
) -> ArticlesReport:
    """Read the wanted pages of claimed sources, and give the sources back.

    Args:
        database: Where the items are.
        fetcher: What asks; each site's robots.txt is kept.
        source_ids: The claimed sources, those of one host together.
        clock: Gives the time, aware UTC.
        stopping: Asked before each page; once true, the rest waits for the next claim.
    """
    with database.read() as session:
        wanted = articles.wanted_articles(session, source_ids, per_source=PER_SOURCE)
    robots = Robots(fetcher, clock=clock)
    resting: dict[int, datetime] = {}
    read: list[int] = []
    given_up = 0
    for page in wanted:
        if stopping():
            break
        if page.source_id in resting:
            continue
        outcome = await robots.get(page.url)
        if isinstance(outcome, Fetched):
            if not await asyncio.to_thread(_store, database, page, outcome, clock()):
                given_up += 1
            elif not page.missed:  # else it was only seen to be there still
                read.append(page.item_id)
        elif isinstance(outcome, Failed) and (outcome.kind in _LOST or outcome.kind is FailureKind.BLOCKED):
            await asyncio.to_thread(_give_up, database, page, clock(), gone=outcome.kind in _GONE)
            given_up += 1
        else:
            resting[page.source_id] = clock() + _rest_after(outcome)
    rested_at = clock() + timedelta(seconds=fetcher.limits.host_gap_seconds)
    await asyncio.to_thread(_release, database, source_ids, resting, rested_at)
    return ArticlesReport(read, given_up)


def _rest_after(outcome: Outcome) -> timedelta:
    asked = (isinstance(outcome, Failed) and outcome.retry_after) or _REST
    return asked if isinstance(outcome, Failed) and outcome.kind is FailureKind.BUSY else max(asked, _REST)


def _store(database: Database, page: WantedArticle, fetched: Fetched, now: datetime) -> bool:
    if page.missed:
        with database.write() as session:
            articles.keep_article(session, page.item_id)
        return True
    article = read_article(
        fetched.body,
        url=fetched.final_url,
        content_type=fetched.content_type,
        selector=page.selector,
        language=primary_language(page.language),
    )
    if article is None:
        _give_up(database, page, now)
        return False
    _keep(database, page, article, now)
    return True


def _keep(database: Database, page: WantedArticle, article: Article, now: datetime) -> None:
    with database.write() as session:
        articles.store_article(
            session,
            page.item_id,
            text=article.text,
            canonical_url=article.canonical_url,
            twins={language.value: url for language, url in article.twins.items()},
            content_hash=article.content_hash,
            now=now,
        )


def _give_up(database: Database, page: WantedArticle, now: datetime, *, gone: bool = False) -> None:
    with database.write() as session:
        articles.give_up_article(session, page.item_id)
        if page.missed and gone:
            items.withdraw_item(session, page.item_id, now)


def _release(database: Database, source_ids: Sequence[int], resting: dict[int, datetime], rested_at: datetime) -> None:
    with database.write() as session:
        for source_id, until in resting.items():
            articles.rest_articles(session, [source_id], until)
        articles.release_sources(session, source_ids, rested_at=rested_at)
