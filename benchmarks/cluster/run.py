"""What the queue costs: the same work on the same PostgreSQL, embedded and with 1, 2 and 4 workers, beside bare SQL.

Each contender has a database of its own with the same sources and subscribers, and does three rounds: every source is
visited for the first time and its items matched; every source is visited again, unchanged; every subscriber's digest is
built and put into the outbox folder. The site is a process of its own and is not counted. What is counted is the
processor time of the contender's processes and of PostgreSQL, from the moment when the rows are made due. Before that
each process has done everything once (``node.py``), and what that brought is forgotten.

``bare SQL`` writes the rows that the embedded contender has written once more, into the same tables, in transactions of
the same size and with psycopg alone: no program that keeps these rows can do with less of PostgreSQL.

The second table tells what a contender costs when it starts, and while there is nothing to do but to ask, each second,
what is due. The last one is the queue alone: jobs whose task does nothing, beside psycopg calling the same functions.

Usage: run.py [--feeds 100] [--readers 100] [--jobs 500] [--workers 1 2 4]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

import bare
import psycopg
from machine import POLLING, Cost, Postgres, cpu_of, postgres, running
from sqlalchemy import text
from targets import Target, tell_targets

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec, Watch
from monitor.core.schedule import Frequency, Schedule
from monitor.runners.assemble import open_database
from monitor.settings import Settings, load_settings
from monitor.store import sources
from monitor.store.watchlist import save_watch
from monitor.subscriptions.subscribe import subscribe_confirmed

NODE = Path(__file__).with_name("node.py")
FEEDS_ON_HOST = 20
MOST_WORKERS = 8
IDLE = 5
STORIES = 30
UNCHANGED = 5
NEWS = Watch("norad", "benchmark", Language.EN, '"release 7" OR "release 8"')
_SILENCE = text("UPDATE topic SET active = false WHERE id IN ('clean-growth', 'supply-chains', 'arctic')")
_FAR = "now() + interval '30 days'"


@dataclass(frozen=True)
class Round:
    """A round of work, done some times over: what makes it due, and how it is seen to be done for the ``turn``-th time.

    ``per`` is what its cost is divided by.
    """

    name: str
    per: str
    due: str
    done: str
    times: int = 1


ROUNDS = (
    Round(
        "first visit, matched",
        "feeds",
        "UPDATE source SET next_poll_at = now() WHERE slug LIKE 'feed-%'",
        "SELECT (SELECT count(*) FROM poll) >= %(feeds)s AND NOT EXISTS (SELECT FROM source WHERE lease_until > now())"
        " AND NOT EXISTS (SELECT FROM item WHERE matched_revision < revision)",
    ),
    Round(
        "visit, unchanged",
        "feeds",
        "UPDATE source SET next_poll_at = now() WHERE slug LIKE 'feed-%'",
        "SELECT count(*) >= %(feeds)s * (1 + %(turn)s) AND NOT EXISTS (SELECT FROM source WHERE lease_until > now())"
        " FROM poll",
        times=UNCHANGED,
    ),
    Round(
        "digest",
        "readers",
        "UPDATE subscriber SET next_digest_at = now() - interval '1 minute' WHERE address LIKE 'reader%'",
        "SELECT count(*) >= %(readers)s FROM digest WHERE state IN ('sent', 'empty', 'failed')",
    ),
)


def main() -> None:
    options = _options()
    counts = {"feeds": options.feeds, "readers": options.readers}
    with TemporaryDirectory() as name, postgres() as server, _site(Path(name), options.feeds) as port:
        prepare(server, Path(name), port, counts)
        costs = {"embedded": compare(server, Path(name), counts, "embedded", ["embedded"])}
        for workers in options.workers:
            kinds = ["scheduler", *["worker"] * workers]
            costs[f"{workers} worker{'s' * (workers > 1)}"] = compare(server, Path(name), counts, f"w{workers}", kinds)
        limit = bare.rewrite(server, "embedded", "prepared")
        costs["bare SQL"] = {round_.name: cost for round_, cost in zip(ROUNDS, limit, strict=True)}
        tell(costs, counts)
        tell_idle(costs)
        tell_queue(server, Path(name), options.jobs)


# ---- the installation ----------------------------------------------------------------------------------------------


@contextmanager
def _site(folder: Path, feeds: int) -> Iterator[int]:
    with running(POLLING / "server.py", folder, feeds // FEEDS_ON_HOST + 1):
        yield int(json.loads((folder / "ports.json").read_text())["http"])


def environment(url: str, folder: Path) -> dict[str, str]:
    """The settings of every process of a contender."""
    return {
        "MONITOR_DATABASE_URL": url.replace("://", "+psycopg://"),
        "MONITOR_DATA_DIR": str(folder),
        "MONITOR_POLL_ALLOW_LOOPBACK": "true",
        "MONITOR_POLL_HOST_GAP_SECONDS": "0",
        "MONITOR_LOG_LEVEL": "error",
    }


def prepare(server: Postgres, folder: Path, port: int, counts: dict[str, int]) -> None:
    """The database that every contender gets a copy of: the shipped topics, the site's feeds, the readers."""
    settings: Settings = load_settings(environment(server.create("prepared"), folder / "prepared"))
    now = datetime.now(UTC)
    database = open_database(settings, now)
    with database.write() as session:
        for spec in sources.load_specs(session):
            sources.end_source(session, spec.slug, actor="benchmark", now=now, reason="not part of it")
        for name, count in (("feed", counts["feeds"]), ("warm", MOST_WORKERS)):
            for number in range(count):
                sources.save_source(session, _spec(name, number, port, counts), actor="benchmark", now=now)
        readers = [f"reader{n}" for n in range(counts["readers"])] + [f"warm{n}" for n in range(MOST_WORKERS)]
        for name in readers:
            subscribe_confirmed(
                session,
                f"{name}@example.org",
                topics=[],
                language=Language.EN,
                schedule=Schedule(Frequency.DAILY, hour=(now - timedelta(hours=1)).hour, zone="UTC"),
                consent={},
                actor="benchmark",
                now=now - timedelta(days=3),
            )
        # The made-up releases are all alike: in earnest one in some hundred is news, and not every third.
        session.connection().execute(_SILENCE)
        save_watch(session, NEWS, position=99, actor="benchmark", now=now)
        session.connection().exec_driver_sql(f"UPDATE source SET next_poll_at = {_FAR}")
        session.connection().exec_driver_sql(f"UPDATE subscriber SET next_digest_at = {_FAR}")
    database.close()


def _spec(name: str, number: int, port: int, counts: dict[str, int]) -> SourceSpec:
    shown = number + counts["feeds"] if name == "warm" else number
    url = f"http://127.0.0.{1 + shown // FEEDS_ON_HOST}:{port}/feeds/{shown}"
    return SourceSpec(f"{name}-{number}", url, "Agency", "CA", Language.EN)


# ---- the contenders ------------------------------------------------------------------------------------------------


def compare(server: Postgres, folder: Path, counts: dict[str, int], name: str, kinds: Sequence[str]) -> dict[str, Cost]:
    """Let a contender do all rounds; what each cost it."""
    url = server.create(name, "prepared")
    with ExitStack() as stack:
        watch = stack.enter_context(psycopg.connect(url, autocommit=True))
        before = server.cpu()
        started = [
            stack.enter_context(running(NODE, kind, number, **environment(url, folder / name)))
            for number, kind in enumerate(kinds)
        ]
        time.sleep(2)
        starting = Cost(0, cpu_of(started), server.cpu() - before)
        watch.execute('TRUNCATE poll, item, "match", digest CASCADE')

        def cpu() -> tuple[float, float]:
            return cpu_of(started), server.cpu()

        idle = cpu()
        time.sleep(IDLE)
        idling = Cost(IDLE, cpu_of(started) - idle[0], server.cpu() - idle[1])
        costs = {round_.name: _measure(watch, round_, counts, cpu) for round_ in ROUNDS}
        return costs | {"start": starting, "idle": idling}


def _measure(watch: Any, round_: Round, counts: dict[str, int], cpu: Callable[[], tuple[float, float]]) -> Cost:
    if round_.name == "digest":
        _let_some_be_of_yesterday(watch)
    watch.execute("VACUUM ANALYZE")
    before, started = cpu(), time.perf_counter()
    for turn in range(1, round_.times + 1):
        watch.execute(round_.due)
        while not watch.execute(round_.done, counts | {"turn": turn}).fetchone()[0]:
            if time.perf_counter() - started > 200:
                raise RuntimeError(f"{round_.name} did not end within 200 s")
            time.sleep(0.2)
    wall = time.perf_counter() - started
    time.sleep(0.5)  # the last job is written down
    after = cpu()
    print(f"{round_.name}: {wall:.0f} s", file=sys.stderr)
    return Cost(wall, after[0] - before[0], after[1] - before[1])


def _let_some_be_of_yesterday(watch: Any) -> None:
    """Thirty items were seen in the readers' windows, and are news: a digest of an ordinary day."""
    chosen = f"SELECT DISTINCT item_id FROM match ORDER BY item_id LIMIT {STORIES}"
    watch.execute(f"UPDATE item SET first_seen_at = first_seen_at - interval '20 hours' WHERE id IN ({chosen})")
    watch.execute(f"UPDATE match SET worthy = true WHERE item_id IN ({chosen})")


def tell(costs: dict[str, dict[str, Cost]], counts: dict[str, int]) -> None:
    """The table: how many sources or digests a second, and milliseconds of processor for each."""
    print("| round | contender | a second | ms of processor each | of it PostgreSQL | against embedded |")
    print("|--|--|--:|--:|--:|--:|")
    targets = []
    for round_ in ROUNDS:
        each, base = counts[round_.per] * round_.times, costs["embedded"][round_.name]
        for name, rounds in costs.items():
            cost = rounds[round_.name]
            spent = f"{1000 * cost.cpu / each:.2f} | {1000 * cost.postgres / each:.2f} | {cost.cpu / base.cpu - 1:+.0%}"
            print(f"| {round_.name} | {name} | {each / cost.wall:,.0f} | {spent} |")
            if "worker" in name:
                target = f"{round_.name}, {name}: processor time, of embedded"
                targets.append(Target(target, cost.cpu / base.cpu, 1.2, most=True))
    tell_targets(targets)


def tell_idle(costs: dict[str, dict[str, Cost]]) -> None:
    """What it costs to start, and to have nothing to do."""
    print("\n| contender | s of processor to start | idle, ms of processor a second | of it PostgreSQL |")
    print("|--|--:|--:|--:|")
    for name, cost in costs.items():
        if "idle" in cost:
            idle = cost["idle"]
            spent = f"{1000 * idle.cpu / idle.wall:.0f} | {1000 * idle.postgres / idle.wall:.0f}"
            print(f"| {name} | {cost['start'].cpu:.1f} | {spent} |")


# ---- the queue alone -----------------------------------------------------------------------------------------------


def tell_queue(server: Postgres, folder: Path, jobs: int) -> None:
    """Jobs that do nothing: ours beside bare SQL."""
    print(f"\n| {jobs:,} jobs that do nothing | a second | ms of processor each | of it PostgreSQL |")
    print("|--|--:|--:|--:|")
    for name, cost in (
        ("1 worker", _worker_alone(server, folder, jobs)),
        ("bare SQL", bare.run_jobs(server, server.create("jobs", "prepared"), jobs)),
    ):
        print(
            f"| {name} | {jobs / cost.wall:,.0f} | {1000 * cost.cpu / jobs:.2f} | {1000 * cost.postgres / jobs:.2f} |"
        )


def _worker_alone(server: Postgres, folder: Path, jobs: int) -> Cost:
    url = server.create("alone", "prepared")
    with (
        running(NODE, "idle", 0, **environment(url, folder / "alone")) as worker,
        psycopg.connect(url, autocommit=True) as watch,
    ):
        time.sleep(3)
        before, ours, started = server.cpu(), cpu_of([worker]), time.perf_counter()
        watch.execute(bare.DEFER, {"jobs": bare.idle_jobs(jobs)})
        while watch.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'").fetchone() != (jobs,):
            time.sleep(0.1)
        wall = time.perf_counter() - started
        return Cost(wall, cpu_of([worker]) - ours, server.cpu() - before)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=100, help="a multiple of 20")
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    return parser.parse_args()


if __name__ == "__main__":
    main()
