"""The pages of a large installation: 1,000,000 matches, 200,000 items and 5,000 watches in SQLite.

Medians of each page over a socket, one reader who opens them in turns; the ratio of page 500 of the match log to page
1, and of filtered pages to the unfiltered one; a preview of a watch against a scan of the same items; the 95th
percentile of each page under ten readers at once; and the log page's requests a second as a share of its query and
rendering alone. The site is served by a process of its own, whose processor time is told as well: a busy machine
disturbs it less than the clock.

The installation stays in ``.bench/web`` and is used again while schema and filling are the same.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.append(str(Path(__file__).parents[1]))

from filling import END
from served import Site, filled, open_app, served, session_cookie
from sqlmodel import Session
from targets import Target, tell_targets

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.roles import Role
from monitor.review.filters import LogQuery
from monitor.review.log import MOST_COUNTED, log_counts, log_page
from monitor.review.views import list_views
from monitor.store.backtest import Bounds, backtest
from monitor.store.staff import Holder
from monitor.web.access import Visitor
from monitor.web.languages import OWN_NAMES
from monitor.web.matches import filter_options, verdict_names
from monitor.web.navigation import navigation
from monitor.web.rendering import Frame, environment

FILTERS = ("topic=norad", "country=US", "language=es", "verdict=noise", "topic=norad&verdict=starred&country=CA",
           "min_score=99", "since=2022-03-01&until=2022-03-31", "worthy=passing&language=fr")  # fmt: skip
PREVIEWS = ('"comes next in 17"', "minerals AND treaty AND 42")
READERS = 10
FIRST = "log, page 1"
CROWDED = FILTERS[:5]


class Reader:
    """A browser with one connection that it keeps."""

    def __init__(self, site: Site, cookie: str) -> None:
        self._door = http.client.HTTPConnection("127.0.0.1", site.port, timeout=120)
        self._cookie = cookie

    def get(self, path: str, body: str | None = None) -> None:
        """Read a page to its end; a form is posted where ``body`` is given."""
        headers = {"Cookie": self._cookie, "Sec-Fetch-Site": "same-origin"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._door.request("GET" if body is None else "POST", path, body, headers)
        answer = self._door.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")


def median_ms(call: Callable[[], object], times: int) -> float:
    """The median of the milliseconds that a call takes, once it has been made before."""
    call()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took)


def main() -> None:
    """Fill, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--matches", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20, help="how often each page is read, by each reader")
    parser.add_argument("--folder", type=Path, default=Path(".bench/web"))
    asked = parser.parse_args()
    started = time.perf_counter()
    folder = filled(asked.folder, items=asked.matches // 5, matches=asked.matches, watches=5_000)
    print(
        f"{asked.matches:,} matches, {asked.matches // 5:,} items, 5,000 watches: {time.perf_counter() - started:.0f} s"
    )
    app = open_app(folder)
    cookie = session_cookie(app)
    deep = cursor_of_page(app, 500)
    with served(folder) as site:
        targets = measure_pages(app, site, cookie, deep, asked.times)
        targets += measure_share(app, site, cookie, 5 * asked.times)
        measure_crowd(site, cookie, deep, asked.times)
        measure_previews(app, site, cookie)
    app.database.close()
    tell_targets(targets)


def cursor_of_page(app: App, number: int) -> str:
    """The cursor of a page of the log, found by turning all pages before it."""
    after = ""
    with app.database.read() as session:
        for _ in range(number - 1):
            after = log_page(session, LogQuery(), after=after).following
    return after


def measure_pages(app: App, site: Site, cookie: str, deep: str, times: int) -> list[Target]:
    """One reader who opens one page after the other, round after round: home page, log, filters."""
    pages = {"home page": "/", FIRST: "/matches", "log, page 500": f"/matches?after={deep}"}
    pages |= {f"log, {asked}": f"/matches?{asked}" for asked in FILTERS}
    taken = rounds(site, cookie, pages, times)
    print(f"{'':50} {'median ms':>10} {'of processor':>13} {'ratio to page 1, by processor time':>36}")
    ratios = {name: processor / taken[FIRST][1] for name, (_, processor) in taken.items() if name.startswith("log")}
    for name, (clock, processor) in taken.items():
        ratio = f"{ratios[name]:.2f}" if name in ratios else ""
        print(f"{name:50} {clock:10.1f} {processor:13.1f} {ratio:>36}")
    with app.database.read() as session:
        took = median_ms(lambda: log_counts(session, LogQuery()), 3)
    print(f"counts of the whole log, which follow the page: {took:.1f} ms")
    return [
        Target(f"{name}: processor time, of page 1", ratio, 1.2 if name == "log, page 500" else 3, most=True)
        for name, ratio in ratios.items()
        if name != FIRST
    ]


def rounds(site: Site, cookie: str, pages: Mapping[str, str], times: int) -> dict[str, tuple[float, float]]:
    """The medians of each page's milliseconds, by the clock and of the site's processor time."""
    reader = Reader(site, cookie)
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in pages}
    for turn in range(times + 1):
        for name, path in pages.items():
            start, used = time.perf_counter(), site.processor_time()
            reader.get(path)
            clock, processor = time.perf_counter() - start, site.processor_time() - used
            if turn:  # the first reading fills caches
                taken[name][0].append(1000 * clock)
                taken[name][1].append(1000 * processor)
    return {name: (statistics.median(clock), statistics.median(used)) for name, (clock, used) in taken.items()}


def preview(site: Site, cookie: str, form: str) -> None:
    """Open the preview of a query through a new door: one that was idle during a scan would be shut."""
    Reader(site, cookie).get("/watchlist/topics/norad/preview", form)


def measure_previews(app: App, site: Site, cookie: str) -> None:
    """The preview of a query over a year, as it is typed, and a scan of the same items."""
    for query in PREVIEWS:
        form = urlencode({"key": "tried", "language": "any", "query": query, "note": "", "span": "52w"})
        page = median_ms(partial(preview, site, cookie, form), 3)
        indexed, found = timed(app, query)
        # No source is of such a country: the same items are found, but no index can tell which they may be.
        scanned, same = timed(app, f"({query}) OR country:XX")
        told = f"{found.hits:,} of {found.items:,}, {found.candidates:,} read"
        if (found.hits, found.items) != (same.hits, same.items):
            raise RuntimeError(f"{query}: the scan found {same.hits} of {same.items}, the preview {told}")
        print(f"preview {query:30} page {page:7.0f} ms, alone {indexed:7.0f} ms, scan {scanned:7.0f} ms: "
              f"{scanned / indexed:.1f} times as long ({told})")  # fmt: skip


def timed(app: App, query: str) -> tuple[float, Any]:
    """The milliseconds that a query takes over a year of the archive, and what it found."""
    with app.database.read() as session:
        matcher = app.live.matcher(session)
        start = time.perf_counter()
        found = backtest(session, matcher, query, Language.ANY, END - timedelta(weeks=52), topic="norad",
                         bounds=Bounds(seconds=120))  # fmt: skip
    return 1000 * (time.perf_counter() - start), found


def measure_crowd(site: Site, cookie: str, deep: str, times: int) -> None:
    """The 95th percentile of each page under ten readers at once."""
    for path in ("/", "/matches", f"/matches?after={deep}", *(f"/matches?{asked}" for asked in CROWDED)):
        took, rate, _ = crowd(site, cookie, path, times)
        worst = statistics.quantiles(took, n=20)[-1]
        print(f"{READERS} readers of {path[:50]:50} 95th percentile {worst:7.1f} ms, {rate:6.1f} requests/s")


def crowd(site: Site, cookie: str, path: str, each: int) -> tuple[list[float], float, float]:
    """The milliseconds of each reading, readings a second, and seconds of the site's processor time a reading."""
    took: list[float] = []

    def read() -> None:
        reader = Reader(site, cookie)
        for _ in range(each):
            start = time.perf_counter()
            reader.get(path)
            took.append(1000 * (time.perf_counter() - start))

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    start, used = time.perf_counter(), site.processor_time()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if len(took) != READERS * each:
        raise RuntimeError(f"{path}: a reader failed")
    return took, len(took) / (time.perf_counter() - start), (site.processor_time() - used) / len(took)


def measure_share(app: App, site: Site, cookie: str, times: int) -> list[Target]:
    """The log page's requests a second beside its query and rendering alone, in turns."""
    template = environment(Language.EN).get_template("matches/log.html")
    with app.database.read() as session:
        values = {**log_values(session), **filter_options(session, Language.EN)}

    def alone() -> None:
        with app.database.read() as session:
            template.render(values, lines=log_page(session, LogQuery()).rows)

    shares = []
    for _ in range(3):
        start, used = time.perf_counter(), time.process_time()
        for _ in range(times):
            alone()
        floor = times / (time.perf_counter() - start), 1000 * (time.process_time() - used) / times
        _, rate, cpu = crowd(site, cookie, "/matches", times // READERS)
        shares.append((rate / floor[0], floor[1] / (1000 * cpu)))
        print(f"log page {rate:6.1f} requests/s, {1000 * cpu:5.1f} ms of processor; query and rendering alone "
              f"{floor[0]:6.1f}/s, {floor[1]:5.1f} ms")  # fmt: skip
    by_clock, by_processor = (statistics.median(share) for share in zip(*shares, strict=True))
    print(f"share: {by_clock:.2f} of the requests/s, {by_processor:.2f} by processor time")
    return [Target("log page: requests a second, of its query and rendering alone", by_clock, 0.5)]


def log_values(session: Session) -> dict[str, Any]:
    """What the template of the log names besides its lines and the choices of its filter."""
    holder = Holder(1, 1, "bench@example.org", Role.OPERATOR, END)
    others = [(tag, OWN_NAMES[Language(tag)], f"/matches?lang={tag}") for tag in ("fr", "es")]
    frame = Frame(Visitor(holder), navigation(Role.OPERATOR, "/matches"), others, None)
    return {"frame": frame, "problem": "", "query": LogQuery(), "is_first": True, "counts": None,
            "following": f"/matches?after={log_page(session, LogQuery()).following}", "most_counted": MOST_COUNTED,
            "views": list_views(session, holder.address), "names": verdict_names(), "can_judge": True}  # fmt: skip


if __name__ == "__main__":
    main()
