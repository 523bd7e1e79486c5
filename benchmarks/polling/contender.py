"""One contender in a process of its own, so that its whole CPU time can be read: ``monitor`` or ``reader``.

Usage: contender.py NAME FOLDER FEEDS. On each line of standard input it visits every feed once and answers with a line
of JSON: the CPU seconds of the process (user and system, all threads) and what the visits came to. The word ``https``
on a line moves all feeds from http to https first, with all that is known of them; that is not counted.
"""

from __future__ import annotations

import json
import os
import sqlite3
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server import host

Round = Callable[[], Counter[str]]

_START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_STEP = timedelta(days=1)


def monitor(folder: Path, urls: Sequence[str]) -> Round:
    """Ticks and tasks as ``monitor run`` has them: claim, visit, rows with history and pace, on an SQLite file."""
    from dataclasses import replace

    from monitor import tasks, ticks
    from monitor.core.languages import Language
    from monitor.core.nouns import SourceSpec
    from monitor.logs import configure_logs
    from monitor.polling.fetch import Fetcher
    from monitor.runners.assemble import fetch_limits, make_app, settle_in
    from monitor.settings import load_settings
    from monitor.store import sources

    environment = {
        "MONITOR_DATA_DIR": str(folder),
        "MONITOR_POLL_ALLOW_LOOPBACK": "true",
        "MONITOR_POLL_HOST_GAP_SECONDS": "0",
        "MONITOR_LOG_LEVEL": "error",
    }
    settings = load_settings(environment)
    configure_logs(settings)
    app = make_app(settings)
    trusting = ssl.create_default_context(cafile=str(folder.parent / "ca.pem"))
    limits = fetch_limits(settings)
    app = replace(app, make_fetcher=lambda: Fetcher(limits, tls=trusting))
    with app.database.write() as session:
        for spec in sources.load_specs(session):
            sources.end_source(session, spec.slug, actor="benchmark", now=_START, reason="not part of it")
        for number, url in enumerate(urls):
            spec = SourceSpec(f"feed-{number:05}", url, "Agency", "CA", Language.EN)
            sources.save_source(session, spec, actor="benchmark", now=_START)
    settle_in()
    poll = next(tick for tick in ticks.TICKS if tick.run is ticks.poll_due_sources)
    day = _START

    def visit_all() -> Counter[str]:
        nonlocal day
        day += _STEP
        at, now = replace(app, clock=lambda: day), day
        while intents := ticks.run_tick(at, poll, now):
            for intent in intents:
                tasks.run_intent(at, intent)
            now += poll.every
        with app.database.read() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT outcome, count(*), sum(new_items) FROM poll WHERE started_at > ? GROUP BY outcome",
                (str(day - _STEP / 2),),
            )
            found = Counter({f"{outcome}": count for outcome, count, _ in rows})
            found["items"] = session.connection().exec_driver_sql("SELECT count(*) FROM item").scalar_one()
        return found

    return visit_all


def reader(folder: Path, urls: Sequence[str]) -> Round:
    """lemon24/reader with its defaults."""
    import feedparser_sgmllib
    from reader import make_reader

    # reader 3.26 imports sgmllib, which feedparser 6.0.14 brings under another name.
    sys.modules["sgmllib"] = feedparser_sgmllib
    folder.mkdir()
    library = make_reader(str(folder / "reader.sqlite"))
    # There is no public door to the session; it trusts the authority of the benchmark's site, and nothing else differs.
    library._parser.do_lazy_init()
    library._parser.retrievers["https://"].session.verify = str(folder.parent / "ca.pem")
    for url in urls:
        library.add_feed(url)

    def visit_all() -> Counter[str]:
        found: Counter[str] = Counter()
        for result in library.update_feeds_iter(scheduled=False):
            value = result.value
            found["unchanged" if value is None else "failed" if isinstance(value, Exception) else "read"] += 1
        found["items"] = library.get_entry_counts().total or 0
        return found

    return visit_all


def move_to_https(database: Path, ports: Mapping[str, int]) -> None:
    """Give all feeds of either contender's file another scheme and port; no public door of theirs keeps validators."""
    connection = sqlite3.connect(database, timeout=30)
    connection.execute("PRAGMA foreign_keys = ON")
    (table,) = connection.execute("SELECT name FROM sqlite_master WHERE name IN ('source', 'feeds')").fetchone()
    moved = "replace(replace(url, 'http://', 'https://'), ?, ?)"
    with connection:
        connection.execute(f"UPDATE {table} SET url = {moved}", (f":{ports['http']}/", f":{ports['https']}/"))
    connection.close()


def main() -> None:
    name, folder, feeds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    ports = json.loads((folder / "ports.json").read_text())
    urls = [f"http://{host(number)}:{ports['http']}/feeds/{number}" for number in range(feeds)]
    own = folder / name
    visit_all = {"monitor": monitor, "reader": reader}[name](own, urls)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "https":
            move_to_https(own / f"{name}.{'db' if name == 'monitor' else 'sqlite'}", ports)
        before = os.times()
        found = visit_all()
        after = os.times()
        cpu = after.user + after.system - before.user - before.system
        print(json.dumps({"cpu": cpu, "wall": after.elapsed - before.elapsed, **found}), flush=True)


if __name__ == "__main__":
    main()
