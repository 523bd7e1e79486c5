"""The rows of a large installation, without its network: how long the queries take that the schedule asks.

100,000 sources on 20,000 hosts, 1,000,000 subscribers and 1,000,000 items are made by PostgreSQL itself; then each
question is asked of them as the service asks it. Watchlists of up to 100,000 watches are compiled and read items, and
two thousand items that are all alike are told apart.

Usage: run.py [--sources 100000] [--subscribers 1000000] [--items 1000000] [--watches 1000 10000 100000]
    [--alike 500 2000]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grouping import tell_grouping
from sqlalchemy import text
from sqlmodel import Session
from watching import tell_watching

sys.path.append(str(Path(__file__).parent.parent / "cluster"))

from machine import postgres

from monitor.store import claims, items, outgoing, queue, subscribers
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.queue_schema import prepare_queue
from monitor.store.standing import standing
from monitor.store.tables import DigestRow

ROUNDS = 5

ROWS = (
    """INSERT INTO source (slug, url, host, agency, country, language, kind, note, state, next_poll_at,
        interval_seconds, failures, health, last_error, added_at, last_verified, applied_hash, permanent_url_count,
        told_count)
    SELECT 's' || n, 'https://h' || n % :hosts || '.example/' || n, 'h' || n % :hosts || '.example', 'A', 'CA', 'en',
        'feed', '', 'active', now() + (n % 7200 - 300) * interval '1 second', 7200, 0, 'healthy', '', now(), '', '',
        0, 0
    FROM generate_series(1, :sources) AS n""",
    """INSERT INTO subscriber (address, state, language, frequency, weekday, hour, zone, created_at, next_digest_at,
        link_generation)
    SELECT 'r' || n || '@example.org', 'active', 'en', 'weekly', 0, 7, 'UTC', now(),
        now() + (n % 604800 - 600) * interval '1 second', 1
    FROM generate_series(1, :subscribers) AS n""",
    """INSERT INTO item (source_id, key, url, title, summary, body, language, first_seen_at, revised_at, content_hash,
        revision, matched_revision, fingerprint, article_state, article_hash, canonical_url)
    SELECT 1 + n % :sources, 'k' || n, 'https://x.example/' || n, 'Title ' || n, repeat('Some words of news. ', 20), '',
        'en', now() - (n % 31536000) * interval '1 second', now(), md5(n::text), 1,
        CASE WHEN n % 1000 = 0 THEN 0 ELSE 1 END, '', 'none', '', ''
    FROM generate_series(1, :items) AS n""",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, count in (("sources", 100_000), ("subscribers", 1_000_000), ("items", 1_000_000)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--watches", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--alike", type=int, nargs="*", default=[500, 2_000])
    asked = vars(parser.parse_args())
    tell_watching(asked.pop("watches"))
    tell_grouping(asked.pop("alike"))
    with postgres() as server:
        database = Database(server.address("postgres").replace("://", "+psycopg://"))
        fill(database, asked)
        ask(database)
        database.close()


def fill(database: Database, counts: dict[str, int]) -> None:
    upgrade(database, datetime.now(UTC))
    prepare_queue(database)
    for statement in ROWS:
        started = time.perf_counter()
        with database.write() as session:
            session.connection().execute(text("SET LOCAL statement_timeout = 0"))
            session.connection().execute(text(statement), {**counts, "hosts": max(counts["sources"] // 5, 1)})
        print(f"{statement.split()[2]:>12} filled in {time.perf_counter() - started:.0f} s", flush=True)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
        size = connection.execute(text("SELECT pg_size_pretty(pg_database_size(current_database()))")).scalar()
    print(f"{'':>12} {size}")


def ask(database: Database) -> None:
    now = datetime.now(UTC)
    lease = timedelta(minutes=10)
    jobs = [queue.Work("digest", "build_digests", tuple(range(n, n + 200))) for n in range(0, 100_000, 200)]
    questions: tuple[tuple[str, Callable[[Session], Any]], ...] = (
        ("claim 800 due sources", lambda s: claims.claim_due_sources(s, now, limit=800, per_host=20, lease=lease)),
        ("2,000 subscribers whose digest is due", lambda s: subscribers.due_subscriber_ids(s, now, limit=2_000)),
        ("10,000 items that wait for matching", lambda s: items.unmatched_ids(s, limit=10_000)),
        ("1,000 mails that are due", lambda s: outgoing.due_ids(s, DigestRow, now, limit=1_000)),
        ("enqueue 100,000 ids in 500 jobs", lambda s: queue.enqueue(s, jobs, now)),
        ("enqueue them again: all are held", lambda s: queue.enqueue(s, jobs, now)),
        ("the state of the queues", queue.queue_states),
        ("every number of /metrics", lambda s: standing(s, now)),
    )
    for name, question in questions:
        times = []
        for _ in range(1 if name.startswith("enqueue") else ROUNDS):
            started = time.perf_counter()
            with database.write() as session:
                question(session)
            times.append(time.perf_counter() - started)
        print(f"{sorted(times)[len(times) // 2] * 1000:10.1f} ms  {name}", flush=True)


if __name__ == "__main__":
    main()
