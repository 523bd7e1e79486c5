"""The pages of a large installation: 1,000,000 matches, 200,000 items, 5,000 watches in SQLite.

Medians of each page through the whole application (no socket), the ratio of page 500 of the match log to page 1 and of
filtered pages to the unfiltered one, the 95th percentile under ten readers at once over a socket, and the requests a
second of the log as a share of its query and rendering alone.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx2 as httpx
import uvicorn
from filling import START, fill

from monitor.core.roles import Role
from monitor.review.filters import LogQuery
from monitor.review.log import log_counts, log_page
from monitor.runners.assemble import make_app
from monitor.settings import load_settings
from monitor.staff.people import add_staff
from monitor.staff.sign_in import Opened, sign_in
from monitor.store.tables import SignInRow
from monitor.web.app import create_web

FILTERS = ("topic=norad", "country=US", "language=es", "verdict=noise", "topic=norad&verdict=starred&country=CA",
           "min_score=99", "since=2022-03-01&until=2022-03-31", "worthy=passing&language=fr")  # fmt: skip


def median_ms(call: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times + 1):
        start = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took[1:])


def session_of(app: object) -> str:
    now = app.clock()  # type: ignore[attr-defined]
    with app.database.write() as session:  # type: ignore[attr-defined]
        add_staff(session, "bench@example.org", Role.OPERATOR, actor="bench", now=now)
        row = SignInRow(address="bench@example.org", requested_at=now, expires_at=now + timedelta(minutes=1))
        opened = sign_in(session, row, address="", device="", now=now)
    assert isinstance(opened, Opened)
    return opened.token


def cursor_of_page(app: object, number: int) -> str:
    after = ""
    with app.database.read() as session:  # type: ignore[attr-defined]
        for _ in range(number - 1):
            after = log_page(session, LogQuery(), after=after).following
    return after


async def percentile(address: str, path: str, cookie: str, readers: int, each: int) -> tuple[float, float]:
    """The 95th percentile in ms, and the requests a second."""
    took: list[float] = []

    async def read() -> None:
        async with httpx.AsyncClient(headers={"Cookie": cookie}, timeout=60, trust_env=False) as client:
            for _ in range(each):
                start = time.perf_counter()
                (await client.get(address + path)).raise_for_status()
                took.append(1000 * (time.perf_counter() - start))

    start = time.perf_counter()
    await asyncio.gather(*(read() for _ in range(readers)))
    return statistics.quantiles(took, n=20)[-1], len(took) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matches", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--folder", help="where to make the database; a temporary folder if left out")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        run(Path(folder), asked.matches, asked.times)


def run(folder: Path, matches: int, times: int) -> None:
    app = make_app(load_settings({"MONITOR_DATA_DIR": str(folder), "MONITOR_LOG_LEVEL": "error"}))
    started = time.perf_counter()
    fill(app.database, items=matches // 5, matches=matches, watches=5_000)
    took = time.perf_counter() - started
    print(f"{matches:,} matches, {matches // 5:,} items, 5,000 watches from {START:%Y}: filled in {took:.0f} s")
    cookie = f"session={session_of(app)}"
    server = uvicorn.Server(uvicorn.Config(create_web(app), "127.0.0.1", 0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        measure(app, address, cookie, times)
    finally:
        server.should_exit = True
        thread.join()
        app.database.close()


def measure(app: object, address: str, cookie: str, times: int) -> None:
    client = httpx.Client(headers={"Cookie": cookie}, timeout=120, trust_env=False)

    def page(path: str) -> float:
        return median_ms(lambda: client.get(address + path).raise_for_status(), times)

    def query(asked: LogQuery, after: str = "") -> float:
        def read() -> None:
            with app.database.read() as session:  # type: ignore[attr-defined]
                log_page(session, asked, after=after)

        return median_ms(read, times)

    deep = cursor_of_page(app, 500)
    first, last = page("/matches"), page(f"/matches?after={deep}")
    print(f"log, page 1          {first:8.1f} ms    lines alone {query(LogQuery()):8.1f} ms")
    alone = query(LogQuery(), deep)
    print(f"log, page 500        {last:8.1f} ms    lines alone {alone:8.1f} ms    ratio {last / first:.2f}")
    for asked in FILTERS:
        values = dict(part.split("=") for part in asked.split("&"))
        took = page(f"/matches?{asked}")
        alone = query(LogQuery.of(values))
        print(f"log, {asked:45} {took:8.1f} ms    lines alone {alone:8.1f} ms    ratio {took / first:.2f}")
    with app.database.read() as session:  # type: ignore[attr-defined]
        print(f"counts, no filter    {median_ms(lambda: log_counts(session, LogQuery()), times):8.1f} ms")
    print(f"home page            {page('/'):8.1f} ms")
    for path in ("/matches", f"/matches?after={deep}", "/matches?topic=norad", "/"):
        worst, rate = asyncio.run(percentile(address, path, cookie, 10, times))
        print(f"ten readers of {path[:40]:40} 95th percentile {worst:8.1f} ms, {rate:6.1f} requests/s")
        if path == "/matches":
            alone = 1000 / first
            print(f"   one reader after another {alone:6.1f} requests/s: {rate / alone:.2f} of that")


if __name__ == "__main__":
    main()
