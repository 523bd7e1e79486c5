"""The limit: what the rows of the rounds, and the jobs of the queue, cost PostgreSQL when psycopg alone writes them.

What the embedded contender has written is read back, and written again into a copy of the same prepared database: the
same inserts and updates, in transactions of the same size, over four connections. Nothing is decided, and nothing read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg
from machine import Cost, Postgres

CONNECTIONS = 4
SOURCES, ITEMS, DIGESTS, MAILS = 100, 100, 50, 50
"""How many sources, items, digests and mails share a transaction, as in the tasks."""

DEFER = """
    SELECT procrastinate_defer_jobs_v1(ARRAY(
        SELECT job FROM jsonb_populate_recordset(
            CAST(NULL AS procrastinate_job_to_defer_v1), CAST(%(jobs)s AS jsonb)
        ) AS job
    ))
"""

_CLAIM = "UPDATE source SET lease_until = now() + interval '10 minutes' WHERE id = %s"
_VISITED = (
    "UPDATE source SET lease_until = NULL, last_polled_at = now(), last_success_at = now(), health = 'healthy', "
    "etag = %s, body_hash = %s, next_poll_at = now() + interval '1 hour' WHERE id = %s"
)
_MATCHED = "UPDATE item SET matched_revision = revision WHERE id = %s"
_ADVANCE = "UPDATE subscriber SET digested_until = now(), next_digest_at = now() + interval '1 day' WHERE id = %s"
_CLAIM_MAIL = "UPDATE digest SET state = 'sending', attempts = 1, next_attempt_at = now() WHERE id = ANY(%s)"
_SENT = "UPDATE digest SET state = 'sent', sent_at = now(), last_error = '', subject = %s WHERE id = %s"

Write = Callable[[psycopg.Connection[Any]], None]
"""What is written in one transaction."""


@dataclass
class Rows:
    """Rows of a table as text, which PostgreSQL reads back as whatever it was."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]
    place: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.place = {name: index for index, name in enumerate(self.columns)}

    def of(self, column: str, wanted: Iterable[Any]) -> list[tuple[str | None, ...]]:
        """The rows that have one of these values in a column."""
        among = set(map(str, wanted))
        return [row for row in self.rows if row[self.place[column]] in among]

    def column(self, name: str) -> list[str]:
        """The values of a column."""
        return [str(row[self.place[name]]) for row in self.rows]

    def insert(self, cursor: Any, rows: Sequence[tuple[str | None, ...]]) -> None:
        """Write some of the rows."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        marks = ", ".join(["%s"] * len(self.columns))
        cursor.executemany(f'INSERT INTO "{self.table}" ({names}) VALUES ({marks})', rows)


def rewrite(server: Postgres, written: str, prepared: str) -> list[Cost]:
    """Write again what a contender has written, in a copy of what it began with; the cost of each round."""
    with psycopg.connect(server.address(written)) as connection:
        tables = {
            name: _read(connection, name) for name in ("poll", "item", "item_index", "match", "digest", "digest_item")
        }
        connection.execute("SELECT 1")
    address = server.create("bare", prepared)
    return [_timed(server, address, writes) for writes in (_first(tables), _again(tables), _digests(tables))]


def _read(connection: psycopg.Connection[Any], table: str) -> Rows:
    asked = "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
    columns = tuple(name for (name,) in connection.execute(asked, [table]) if name != "story_id")
    listed = ", ".join(f'"{name}"::text' for name in columns)
    return Rows(table, columns, connection.execute(f'SELECT {listed} FROM "{table}"').fetchall())


def _parts(ids: Sequence[str], size: int) -> list[Sequence[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _first(tables: dict[str, Rows]) -> list[list[Write]]:
    matching = [_match(tables, part) for part in _parts(tables["item"].column("id"), ITEMS)]
    return [_turn(tables, 0), matching]


def _again(tables: dict[str, Rows]) -> list[list[Write]]:
    polls = tables["poll"]
    turns = len(polls.rows) // len(set(polls.column("source_id")))
    return [_turn(tables, turn) for turn in range(1, turns)]


def _turn(tables: dict[str, Rows], turn: int) -> list[Write]:
    """Every source visited once more; the first time it brings its items."""
    sources = sorted(set(tables["poll"].column("source_id")))
    return [_visit(tables, part, turn) for part in _parts(sources, SOURCES)]


def _visit(tables: dict[str, Rows], sources: Sequence[str], turn: int) -> Write:
    polls, items, index = tables["poll"], tables["item"], tables["item_index"]
    number = polls.place["id"]
    visits = [
        sorted(polls.of("source_id", [source]), key=lambda row: int(row[number] or 0))[turn] for source in sources
    ]
    entries = items.of("source_id", sources) if turn == 0 else []
    terms = index.of("item_id", [row[items.place["id"]] for row in entries])

    def write(connection: psycopg.Connection[Any]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(_CLAIM, [(source,) for source in sources])
        with connection.transaction(), connection.cursor() as cursor:
            if entries:
                items.insert(cursor, entries)
                index.insert(cursor, terms)
            polls.insert(cursor, visits)
            cursor.executemany(_VISITED, [("etag", "hash", source) for source in sources])

    return write


def _match(tables: dict[str, Rows], items: Sequence[str]) -> Write:
    matches = tables["match"]
    found = matches.of("item_id", items)

    def write(connection: psycopg.Connection[Any]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            if found:
                matches.insert(cursor, found)
            cursor.executemany(_MATCHED, [(item,) for item in items])

    return write


def _digests(tables: dict[str, Rows]) -> list[list[Write]]:
    ids = tables["digest"].column("id")
    return [
        [_build(tables, part) for part in _parts(ids, DIGESTS)],
        [_send(tables, part) for part in _parts(ids, MAILS)],
    ]


def _build(tables: dict[str, Rows], ids: Sequence[str]) -> Write:
    digests, ledger = tables["digest"], tables["digest_item"]
    rows, held = digests.of("id", ids), ledger.of("digest_id", ids)
    readers = [(row[digests.place["subscriber_id"]],) for row in rows]

    def write(connection: psycopg.Connection[Any]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(_ADVANCE, readers)
            digests.insert(cursor, rows)
            if held:
                ledger.insert(cursor, held)

    return write


def _send(tables: dict[str, Rows], ids: Sequence[str]) -> Write:
    digests = tables["digest"]
    subject = digests.place["subject"]
    subjects = [(row[subject], row[digests.place["id"]]) for row in digests.of("id", ids)]

    def write(connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            connection.execute(_CLAIM_MAIL, [list(map(int, ids))])
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(_SENT, subjects)

    return write


def _timed(server: Postgres, address: str, steps: Sequence[Sequence[Write]]) -> Cost:
    """Write it all, several transactions at a time, one step after the other."""
    connections = [psycopg.connect(address, autocommit=True) for _ in range(CONNECTIONS)]

    def write_share(number: int, step: Sequence[Write]) -> None:
        for write in step[number::CONNECTIONS]:
            write(connections[number])

    ours, theirs, started = time.process_time(), server.cpu(), time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for step in steps:
            for done in [pool.submit(write_share, number, step) for number in range(CONNECTIONS)]:
                done.result()
    cost = Cost(time.perf_counter() - started, time.process_time() - ours, server.cpu() - theirs)
    for connection in connections:
        connection.close()
    return cost


def idle_jobs(count: int) -> str:
    """Jobs of a task that finds nothing to do, as JSON."""
    job = {"queue_name": "match", "task_name": "match_items", "priority": 0}
    return json.dumps([{**job, "args": {"ids": [-number]}} for number in range(1, count + 1)])


def run_jobs(server: Postgres, address: str, count: int) -> Cost:
    """Enqueue jobs, fetch each and finish it, by the functions that Procrastinate's workers call."""
    connections = [psycopg.connect(address, autocommit=True) for _ in range(CONNECTIONS)]

    def serve(connection: psycopg.Connection[Any]) -> None:
        (worker,) = connection.execute("SELECT worker_id FROM procrastinate_register_worker_v1()").fetchone() or (0,)
        fetch = "SELECT id FROM procrastinate_fetch_job_v2(%s::varchar[], %s)"
        while (row := connection.execute(fetch, [["match"], worker]).fetchone()) and row[0] is not None:
            connection.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", [row[0]])

    ours, theirs, started = time.process_time(), server.cpu(), time.perf_counter()
    connections[0].execute(DEFER, {"jobs": idle_jobs(count)})
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(serve, connections))
    cost = Cost(time.perf_counter() - started, time.process_time() - ours, server.cpu() - theirs)
    for connection in connections:
        connection.close()
    return cost
