"""Searching the archive with the query language of the watches: the index names candidates, the engine decides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Document, Evidence, Watch
from monitor.matching.query import Query, parse_query
from monitor.matching.watchlist import Watchlist, compile_watchlist
from monitor.store.archive import may_hold
from monitor.store.items import load_documents
from monitor.store.keyset import below
from monitor.store.news import IS_NEWS
from monitor.store.tables import ItemRow, MatchRow

Place = tuple[datetime, int]
"""Where an item stands in the results: ``news_at`` and id."""

_FIRST_BATCH, _LARGEST_BATCH = 50, 400
"""Candidates that are read at once: of most queries nearly all are hits; where few are, more are read each time."""

_PATIENCE = 2.0  # seconds that one page of results may take


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        query: In the language of docs/query-language.md.
        language: Of the items; with any, each is searched with the word forms of its own language.
        topic: Only news of this topic; empty for all items.
        since: Only items published at this time or later, aware.
        until: Only items published before this time, aware.
    """

    query: str
    language: Language = Language.ANY
    topic: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that a search found; the evidence shows why."""

    item_id: int
    url: str
    published_at: datetime | None
    first_seen_at: datetime
    document: Document
    evidence: tuple[Evidence, ...]

    @property
    def news_at(self) -> datetime:
        """When it was published or, where its source does not tell, first seen; aware UTC."""
        return self.published_at or self.first_seen_at


@dataclass(frozen=True, slots=True)
class Results:
    """A page of hits, the newest first; ``following`` is where the next page begins, None at the end."""

    hits: tuple[Hit, ...]
    following: Place | None = None


def search(
    session: Session,
    wanted: Search,
    *,
    before: Place | None = None,
    limit: int = 20,
    patience: float = _PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> Results:
    """The items of which the query is true, the latest published first.

    A page may hold fewer hits than asked for, and still be followed by another: when candidates turn out not to be
    hits, the search stops after a while and goes on from there.

    Args:
        session: An open transaction.
        wanted: What is looked for.
        before: Only items after this place in the results: ``following`` of the page before.
        limit: How many hits at most.
        patience: Seconds after which the search stops at the next batch.
        clock: Seconds that only go forward.

    Raises:
        QueryError: The query cannot be understood.
    """
    # Each item is searched with the stems of its own language: a watch of any language would know no word forms.
    languages = READER_LANGUAGES if wanted.language is Language.ANY else (wanted.language,)
    queries = [parse_query(wanted.query, language) for language in languages]
    engine = compile_watchlist(Watch("search", language, language, wanted.query) for language in languages)
    hits: list[Hit] = []
    place, size, deadline = before, _FIRST_BATCH, clock() + patience
    while True:
        batch = _candidates(session, queries, wanted, place, size)
        for hit in _true(session, engine, batch):
            hits.append(hit)
            if len(hits) == limit:
                return Results(tuple(hits), (hit.news_at, hit.item_id))
        if len(batch) < size:
            return Results(tuple(hits))
        place, size = (batch[-1].news_at, batch[-1].id), min(2 * size, _LARGEST_BATCH)
        if clock() > deadline:
            return Results(tuple(hits), place)


def _candidates(
    session: Session, queries: Sequence[Query], wanted: Search, before: Place | None, limit: int
) -> Sequence[Any]:
    """The next items of which a query may be true: their id, url and times."""
    columns: Any = (ItemRow.id, ItemRow.url, ItemRow.published_at, ItemRow.first_seen_at, ItemRow.news_at)
    place = (col(ItemRow.news_at), col(ItemRow.id))
    narrowed = select(*columns).where(*_conditions(session, queries, wanted))
    if before is not None:
        narrowed = narrowed.where(below(place, before))
    return list(session.exec(narrowed.order_by(*(key.desc() for key in place)).limit(limit)))


def _conditions(session: Session, queries: Sequence[Query], wanted: Search) -> Iterator[Any]:
    yield from may_hold(session, queries)
    if wanted.language is not Language.ANY:
        yield col(ItemRow.language).not_in([other for other in READER_LANGUAGES if other is not wanted.language])
    if wanted.topic:
        of_topic = select(MatchRow.item_id).where(MatchRow.topic_id == wanted.topic, IS_NEWS)
        yield col(ItemRow.id).in_(of_topic)
    if wanted.since:
        yield col(ItemRow.news_at) >= wanted.since
    if wanted.until:
        yield col(ItemRow.news_at) < wanted.until


def _true(session: Session, engine: Watchlist, batch: Sequence[Any]) -> Iterator[Hit]:
    """Those of the candidates of which the query is true, in their order."""
    documents = {stored.item_id: stored.document for stored in load_documents(session, [row.id for row in batch])}
    read = [documents[row.id] for row in batch]
    for row, document, hits in zip(batch, read, engine.match_all(read), strict=True):
        for found in hits[:1]:
            yield Hit(row.id, row.url, row.published_at, row.first_seen_at, document, found.evidence)
