"""The rows of the delivery benchmark: subscribers, matches, digests and who was sent what, in a database of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlmodel import col

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.sources import save_source
from monitor.store.tables import (
    DigestItemRow,
    DigestRow,
    ItemRow,
    MatchRow,
    PillarRow,
    SubscriberRow,
    TopicRow,
)

NOW = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


class Book:
    """Records digests before and after they are sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, digests: Sequence[tuple[int, list[int]]], end: datetime) -> None:
        """Record digests as being sent, with what each holds, in one transaction."""
        rows = [
            {
                "id": number,
                "subscriber_id": number,
                "window_start": NOW,
                "window_end": end,
                "state": "sending",
                "message_id": f"<{number}@example.org>",
                "built_at": end,
                "next_attempt_at": end,
            }
            for number, _ in digests
        ]
        entries = [{"digest_id": number, "match_id": match} for number, matches in digests for match in matches]
        with self._database.write() as session:
            session.connection().execute(insert(DigestRow), rows)
            session.connection().execute(insert(DigestItemRow), entries)

    def finish(self, numbers: Sequence[int], now: datetime) -> None:
        """Record digests as sent, in one transaction."""
        done = update(DigestRow).where(col(DigestRow.id) == bindparam("number")).values(state="sent", sent_at=now)
        with self._database.write() as session:
            session.connection().execute(done, [{"number": number} for number in numbers])

    def check(self, digests: int, each: int) -> None:
        """Make sure that all is on record."""
        with self._database.read() as session:
            sent = select(func.count()).select_from(DigestRow).where(col(DigestRow.state) == "sent")
            assert session.connection().execute(sent).scalar() == digests
            entries = select(func.count()).select_from(DigestItemRow)
            assert session.connection().execute(entries).scalar() == digests * each


@contextmanager
def opened(subscribers: int, matches: int) -> Iterator[Book]:
    """A new database, for the time of its use, with as many subscribers and matches as wanted."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/monitor.db")
        upgrade(database, NOW)
        with database.write() as session:
            source = SourceSpec("s", "https://example.org/feed", "Agency", "CA", Language.EN)
            save_source(session, source, actor="benchmark", now=NOW)
            for table, rows in _rows(subscribers, matches):
                session.connection().execute(insert(table), rows)
        yield Book(database)
        database.close()


def _rows(subscribers: int, matches: int) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    texts = dict.fromkeys(("url", "title", "summary", "body", "content_hash"), "")
    topic = {"position": 1, "names": {}, "threshold": 0.5, "needs_neighbours": False}
    match = {
        "topic_id": "t",
        "score": 1,
        "worthy": True,
        "item_revision": 1,
        "watchlist_version": "",
        "matched_at": NOW,
        "source_id": 1,
        "news_at": NOW,
    }
    reader = {"state": "active", "language": "en", "frequency": "weekly", "weekday": 0, "hour": 8, "zone": "UTC"}
    numbers = range(1, matches + 1)
    yield PillarRow, [{"id": "p", "position": 1, "names": {}}]
    yield TopicRow, [topic | {"id": "t", "pillar_id": "p"}]
    item = {"source_id": 1, "language": "en", "first_seen_at": NOW, "revised_at": NOW} | texts
    yield ItemRow, [item | {"id": number, "key": str(number)} for number in numbers]
    yield MatchRow, [match | {"id": number, "item_id": number} for number in numbers]
    dated = reader | {"created_at": NOW, "next_digest_at": NOW}
    yield SubscriberRow, [dated | {"id": n, "address": f"reader{n}@example.ca"} for n in range(1, subscribers + 1)]
