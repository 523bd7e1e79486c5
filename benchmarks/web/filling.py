"""A large installation made by arithmetic: the same rows each time, no text of anybody's.

Rows are written as tuples, each table in a transaction of its own, and the indexes of the two large tables are made
when those are full: to sort a million keys once costs less than to insert each into nine trees.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Session

from monitor.store.archive import index_texts
from monitor.store.engine import Database
from monitor.store.tables import ItemRow, KeptRow, MatchRow

START = datetime(2021, 2, 23, tzinfo=UTC)
END = START + timedelta(days=5 * 365)
"""The present of the installation: its newest items were published just before."""

WORDS = ("border", "climate", "minerals", "arctic", "defence", "health", "council", "treaty", "harvest", "corridor")
LANGUAGES = ("en", "en", "en", "fr", "fr", "es")
VERDICTS = {0: "noise", 1: "relevant", 2: "starred"}
FILLED = "filled for the benchmark"
"""The name of the fact that an installation is full."""

_JUDGED_OF = 211
_IN_BATCH = 10_000

_ITEM = ("id", "source_id", "key", "url", "title", "summary", "body", "language", "first_seen_at", "published_at",
         "revised_at", "content_hash", "fingerprint", "revision", "matched_revision", "article_state", "article_hash",
         "canonical_url")  # fmt: skip
_MATCH = ("id", "item_id", "topic_id", "score", "worthy", "evidence", "item_revision", "watchlist_version",
          "matched_at", "source_id", "news_at", "language", "verdict", "assignee")  # fmt: skip
_VERDICT = ("match_id", "reviewer", "word", "note", "at", "batch")
_WATCH = ("topic_id", "key", "position", "language", "query", "note", "version", "active", "updated_at",
          "applied_hash")  # fmt: skip

_EVIDENCE = json.dumps([{"watch": "any", "version": 1, "term": "x", "field": "summary", "start": 28, "end": 34}])


def fill(database: Database, *, items: int, matches: int, watches: int) -> None:
    """Fill an SQLite installation that has the shipped topics and sources."""
    with database.read() as session:
        sources = [row[0] for row in _rows(session, "SELECT id FROM source ORDER BY id")]
        topics = [row[0] for row in _rows(session, "SELECT id FROM topic WHERE active ORDER BY id")]
    _write(database, "item", _ITEM, _items(items, sources), ItemRow)
    _write(database, "match", _MATCH, _matches(matches, items, sources, topics), MatchRow)
    _write(database, "verdict", _VERDICT, _verdicts(matches, items))
    _write(database, "watch", _WATCH, _watches(watches, topics))
    for start in range(0, items, _IN_BATCH):
        with database.write() as session:
            index_texts(session, (_text(n) for n in range(start, min(start + _IN_BATCH, items))))
    with database.write() as session:
        _rows(session, "ANALYZE")
        session.add(KeptRow(name=FILLED, value="yes"))


def _rows(session: Session, statement: str) -> Any:
    return session.connection().exec_driver_sql(statement)


def _write(
    database: Database, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]], model: Any = None
) -> None:
    indexes = sorted(model.__table__.indexes, key=lambda index: str(index.name)) if model else []
    insert = f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({", ".join("?" * len(columns))})'
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("PRAGMA cache_size = -400000")
        for index in indexes:
            index.drop(connection)
        _insert(connection, insert, rows)
        for index in indexes:
            index.create(connection)


def _insert(connection: Connection, insert: str, rows: Iterable[tuple[Any, ...]]) -> None:
    left = iter(rows)
    while some := list(islice(left, _IN_BATCH)):
        connection.exec_driver_sql(insert, some)


def _at(n: int, items: int) -> str:
    moment = START + (END - START) * ((n + 1) / (items + 1))
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _text(n: int) -> tuple[int, str, str, str, str]:
    words = [WORDS[(n * step + step) % len(WORDS)] for step in range(1, 8)]
    body = ". ".join(f"The two countries speak of {word} and of what comes next in {n % 997}" for word in words)
    return n + 1, LANGUAGES[n % len(LANGUAGES)], f"Statement {n} on {words[0]} and {words[1]}", body[:160], body


def _items(count: int, sources: list[int]) -> Iterator[tuple[Any, ...]]:
    for n in range(count):
        id_, language, title, summary, body = _text(n)
        at = _at(n, count)
        yield (id_, sources[n % len(sources)], f"k{n}", f"https://agency.example/{n}", title, summary, body, language,
               at, at, at, f"{n:064x}", "", 1, 1, "none", "", "")  # fmt: skip


def _matches(count: int, items: int, sources: list[int], topics: list[str]) -> Iterator[tuple[Any, ...]]:
    each = count // items
    for n in range(count):
        item = n // each
        at = _at(item, items)
        yield (n + 1, item + 1, topics[(item * 7 + n % each) % len(topics)], n * 37 % 100 / 100, n % 3 > 0, _EVIDENCE,
               1, "v", at, sources[item % len(sources)], at, LANGUAGES[item % len(LANGUAGES)],
               VERDICTS.get(n % _JUDGED_OF, ""), "")  # fmt: skip


def _verdicts(count: int, items: int) -> Iterator[tuple[Any, ...]]:
    for n in range(count):
        if word := VERDICTS.get(n % _JUDGED_OF):
            yield n + 1, "reviewer@example.org", word, "", _at(n // (count // items), items), f"b{n}"


def _watches(count: int, topics: list[str]) -> Iterator[tuple[Any, ...]]:
    for n in range(count):
        yield (topics[n % len(topics)], f"bench-{n}", n, "any", f'"{WORDS[n % len(WORDS)]} {n}"', "", 1, True,
               _at(0, 1), "")  # fmt: skip
