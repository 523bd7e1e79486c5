"""A large installation made by arithmetic: the same rows each time, no text of anybody's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from monitor.store.engine import Database

START = datetime(2021, 2, 23, tzinfo=UTC)
WORDS = ("border", "climate", "minerals", "arctic", "defence", "health", "council", "treaty", "harvest", "corridor")
LANGUAGES = ("en", "en", "en", "fr", "fr", "es")
_BATCH = 20_000


def fill(database: Database, *, items: int, matches: int, watches: int) -> None:
    """Fill an installation that has the shipped topics and sources."""
    with database.write() as session:
        connection = session.connection()
        sources = [row[0] for row in connection.execute(text("SELECT id FROM source ORDER BY id"))]
        topics = [row[0] for row in connection.execute(text("SELECT id FROM topic WHERE active ORDER BY id"))]
        for rows in _batches(_items(items, sources)):
            connection.execute(_insert("item", rows[0]), rows)
        for rows in _batches(_matches(matches, items, sources, topics)):
            connection.execute(_insert('"match"', rows[0]), rows)
        for rows in _batches(_watches(watches, topics)):
            connection.execute(_insert("watch", rows[0]), rows)
    with database.write() as session:
        session.connection().execute(text("ANALYZE"))


def _insert(table: str, row: dict[str, Any]) -> Any:
    names = ", ".join(row)
    return text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})")


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _at(n: int, items: int) -> str:
    moment = START + timedelta(days=5 * 365) * (n / items)
    return f"{moment.replace(tzinfo=None).isoformat(sep=' ', timespec='microseconds')}"


def _items(count: int, sources: list[int]) -> Iterator[dict[str, Any]]:
    for n in range(count):
        words = [WORDS[(n * step + step) % len(WORDS)] for step in range(1, 8)]
        body = ". ".join(f"The two countries speak of {word} and of what comes next in {n % 997}" for word in words)
        yield {
            "id": n + 1, "source_id": sources[n % len(sources)], "key": f"k{n}", "url": f"https://agency.example/{n}",
            "title": f"Statement {n} on {words[0]} and {words[1]}", "summary": body[:160], "body": body,
            "language": LANGUAGES[n % len(LANGUAGES)], "first_seen_at": _at(n, count), "published_at": _at(n, count),
            "revised_at": _at(n, count), "content_hash": f"{n:064x}", "fingerprint": "", "revision": 1,
            "matched_revision": 1, "article_state": "none", "article_hash": "", "canonical_url": "",
        }  # fmt: skip


def _matches(count: int, items: int, sources: list[int], topics: list[str]) -> Iterator[dict[str, Any]]:
    each = count // items
    evidence = json.dumps([{"watch": "any", "version": 1, "term": "x", "field": "summary", "start": 28, "end": 34}])
    for n in range(count):
        item = n // each
        yield {
            "id": n + 1, "item_id": item + 1, "topic_id": topics[(item * 7 + n % each) % len(topics)],
            "score": (n * 37 % 100) / 100, "worthy": n % 3 > 0, "evidence": evidence, "item_revision": 1,
            "watchlist_version": "v", "matched_at": _at(item, items), "source_id": sources[item % len(sources)],
            "news_at": _at(item, items), "language": LANGUAGES[item % len(LANGUAGES)],
            "verdict": {0: "noise", 1: "relevant", 2: "starred"}.get(n % 211, ""), "assignee": "",
        }  # fmt: skip


def _watches(count: int, topics: list[str]) -> Iterator[dict[str, Any]]:
    for n in range(count):
        yield {
            "topic_id": topics[n % len(topics)], "key": f"bench-{n}", "position": n, "language": "any",
            "query": f'"{WORDS[n % len(WORDS)]} {n}"', "note": "", "version": 1, "active": True,
            "updated_at": _at(0, 1), "applied_hash": "",
        }  # fmt: skip
