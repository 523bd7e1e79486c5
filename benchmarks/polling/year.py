"""A year of polling on a virtual clock: what it asks of the sites, and what it misses.

The pace (``pace.next_visit``) and the turns of the hosts (``turns.HostTurns``) are the service's own; only the time and
the sites are made up. A site publishes at recorded times, those of the White House where the corpus is beside the
checkout, else at made-up ones of the same habit (office hours, days without news, bursts). Each source has them thinned
by a factor and turned by some days, and shows its newest 10, 20 or 30 entries; some ask for less by ``ttl``.

For comparison every source is also read each six hours from midnight on. What six-hourly visits miss depends on when
they begin; where they would miss nothing whenever they began, nothing may be missed here.

Only the sources of one host meet, so that each host lives its year on a clock of its own, on whichever core is free.

Usage: year.py [--sources 1000] [--days 365] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import selectors
import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from monitor.polling.pace import Hints, Visit, next_visit
from monitor.polling.ttl import Asked
from monitor.polling.turns import HostTurns

RELEASES = Path(__file__).parents[3] / "shared" / "corpus" / "releases" / "whitehouse.jsonl.gz"
START = datetime(2025, 1, 6, tzinfo=UTC)
DAY, HOUR = 86_400.0, 3_600.0
FIRST_INTERVAL = timedelta(hours=1)
GAP, ANSWER = 2.0, 0.4
"""Seconds between two requests to one host, and of an answer."""

SOURCES_ON_HOST = 10
SHARES = (1.0, 0.5, 0.2, 0.05, 0.01)
LENGTHS = (10, 20, 30)
WISHES = (None, None, timedelta(hours=1), timedelta(hours=12), timedelta(days=3))


@dataclass
class Site:
    """A source's side: when it publishes, in seconds from the start, how much it shows, and what it asks for."""

    number: int
    published: Sequence[float]
    length: int
    wish: timedelta | None


@dataclass
class Year:
    """What the year came to at one host: the visits of each of its sources, and the shortest rest between two."""

    visits: list[int] = field(default_factory=list)
    unchanged: int = 0
    missed: int = 0
    alarms: int = 0
    missed_needlessly: int = 0
    missed_by_bad_luck: int = 0
    missed_six_hourly: int = 0
    last_end: float = float("-inf")
    shortest_rest: float = float("inf")


class _Jump(selectors.SelectSelector):
    """Waits no time, but moves the loop's clock by what it was to wait; there is nothing to read from anywhere."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += max(0.0, timeout or 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock of its own: when nothing is to be done, it is at once the time of the next timer."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._clock_resolution = 1e-6  # after half a year the real clock's is lost in rounding, and no timer is due

    def time(self) -> float:
        """Seconds of the virtual clock."""
        return self._jump.now


async def live(site: Site, turns: HostTurns, until: float, year: Year) -> None:
    """Visit a site as the service does, until the year is over."""
    loop = asyncio.get_running_loop()
    hints = Hints(asked=Asked(ttl=site.wish))
    interval, seen, last, visits, missed = FIRST_INTERVAL, 0, None, 0, 0
    while loop.time() < until:
        async with turns.take("host", GAP):
            year.shortest_rest = min(year.shortest_rest, loop.time() - year.last_end)
            await asyncio.sleep(ANSWER)
            year.last_end = loop.time()
        visits, at = visits + 1, loop.time()
        there = bisect_right(site.published, at)
        unchanged = last is not None and there == seen
        visit = Visit(
            slug=f"source-{site.number}",
            interval=interval,
            entries=0 if unchanged else site.length,  # what it published before the year fills it
            new=0 if unchanged else min(site.length, there - seen),
            since_last=None if last is None else timedelta(seconds=at - last),
            unchanged=unchanged,
        )
        now = START + timedelta(seconds=at)
        plan = next_visit(visit, now=now, hints=hints)
        missed += max(0, there - seen - site.length) if last is not None else 0
        year.unchanged, year.alarms = year.unchanged + unchanged, year.alarms + plan.missed
        interval, seen, last = plan.interval, there, at
        await asyncio.sleep((plan.at - now).total_seconds())
    six_hourly = missed_each_six_hours(site, until)
    year.visits.append(visits)
    year.missed += missed
    year.missed_six_hourly += six_hourly
    year.missed_by_bad_luck += missed if not six_hourly else 0
    year.missed_needlessly += missed if six_hours_always_fit(site) else 0


def missed_each_six_hours(site: Site, until: float) -> int:
    """How many entries came and went between two visits six hours apart."""
    counts = [bisect_right(site.published, 6 * HOUR * turn) for turn in range(int(until / (6 * HOUR)) + 1)]
    return sum(max(0, after - before - site.length) for before, after in pairwise(counts))


def six_hours_always_fit(site: Site) -> bool:
    """Whether no six hours of the year bring more than the source shows: then no six-hourly visits miss anything."""
    return all(
        later - first > 6 * HOUR for first, later in zip(site.published, site.published[site.length :], strict=False)
    )


def live_all(sites: Sequence[Site], days: int) -> list[Year]:
    """A year, or less of it, of all the sites, host by host."""
    hosts = [sites[first : first + SOURCES_ON_HOST] for first in range(0, len(sites), SOURCES_ON_HOST)]
    if len(hosts) == 1:
        return [live_at_host(days, hosts[0])]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(partial(live_at_host, days), hosts))


def live_at_host(days: int, sites: Iterable[Site]) -> Year:
    """A year of the sites of one host, which take turns."""

    async def run() -> Year:
        year, turns = Year(), HostTurns()
        await asyncio.gather(*(live(site, turns, days * DAY, year) for site in sites))
        return year

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


def make_sites(count: int, days: int) -> list[Site]:
    """The sources, made from one series of times; the same at every run."""
    chance, times = random.Random(4), recorded_times(days) or made_up_times(days)
    sites = []
    for number in range(count):
        share, turn = SHARES[number % len(SHARES)], 7 * DAY * chance.randrange(max(1, days // 7))
        kept = [(at + turn) % (days * DAY) for at in times if chance.random() < share]
        sites.append(Site(number, sorted(kept), chance.choice(LENGTHS), chance.choice(WISHES)))
    return sites


def recorded_times(days: int) -> list[float]:
    """When the White House published, in its busiest so many days of the corpus; empty where that is absent."""
    if not RELEASES.exists():
        return []
    with gzip.open(RELEASES, "rt", encoding="utf-8") as file:
        found = sorted(datetime.fromisoformat(json.loads(line)["published"]).timestamp() for line in file)
    span = days * DAY
    first = max(range(len(found)), key=lambda start: bisect_right(found, found[start] + span) - start)
    midnight = found[first] - found[first] % DAY
    return [at - midnight for at in found[first:] if at - midnight < span]


def made_up_times(days: int) -> list[float]:
    """A press office's year: nothing on most weekends, else a handful in office hours, and a burst now and then."""
    chance, times = random.Random(5), list[float]()
    for day in range(days):
        usual = 1 if day % 7 in {5, 6} else 8
        count = chance.randrange(2 * usual) + (25 if chance.random() < 0.03 else 0)
        times += [day * DAY + HOUR * chance.triangular(13, 23, 18) for _ in range(count)]
    return sorted(times)


def main() -> None:
    options = _options()
    sites = make_sites(options.sources, options.days)
    found = _figures(live_all(sites, options.days), sites, options.days)
    print(json.dumps(found) if options.json else "\n".join(f"{name:40} {value:>12,}" for name, value in found.items()))
    sys.exit(1 if found["missed of those"] or found["shortest rest of a host, s"] < GAP else 0)


def _figures(hosts: Sequence[Year], sites: Sequence[Site], days: int) -> dict[str, float]:
    per_day = sorted(visits / days for year in hosts for visits in year.visits)
    requests = sum(sum(year.visits) for year in hosts)
    return {
        "sources": len(sites),
        "days": days,
        "entries published": sum(len(site.published) for site in sites),
        "requests": requests,
        "requests per source and day, mean": round(sum(per_day) / len(per_day), 2),
        "requests per source and day, median": round(per_day[len(per_day) // 2], 2),
        "requests per source and day, most": round(per_day[-1], 2),
        "answered 304, %": round(100 * sum(year.unchanged for year in hosts) / requests, 1),
        "missed": sum(year.missed for year in hosts),
        "overlap alarms": sum(year.alarms for year in hosts),
        "missed by visits at 0, 6, 12 and 18 h": sum(year.missed_six_hourly for year in hosts),
        "missed where those miss none": sum(year.missed_by_bad_luck for year in hosts),
        "sources that six-hourly visits suit": sum(map(six_hours_always_fit, sites)),
        "missed of those": sum(year.missed_needlessly for year in hosts),
        "shortest rest of a host, s": round(min(year.shortest_rest for year in hosts), 3),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
