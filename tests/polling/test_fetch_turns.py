"""One request at a time per host, with a pause between two, and nobody else held up by it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from monitor import event_loop
from monitor.polling.fetch import Failed, FailureKind, Fetched
from monitor.polling.turns import HostTurns

FEED = {"body": b"<rss/>"}


def visit_all(new_fetcher, urls, *, crawl_delay=0.0, **limits):
    async def visits():
        async with new_fetcher(**limits) as fetcher:
            return await asyncio.gather(*(fetcher.get(url, crawl_delay=crawl_delay) for url in urls))

    return event_loop.run(visits())


def pauses(faults):
    return [later.at - earlier.at for earlier, later in pairwise(faults.requests)]


def test_a_host_is_asked_one_thing_at_a_time(faults, new_fetcher):
    urls = [faults.play(f"/{number}", [0.02, FEED]) for number in range(5)]
    outcomes = visit_all(new_fetcher, urls)
    assert all(isinstance(outcome, Fetched) for outcome in outcomes)
    assert faults.most_open_requests == 1
    assert faults.connections == 1


def test_hosts_do_not_wait_for_each_other(faults, new_fetcher):
    faults.play("/feed", [0.1, FEED])
    visit_all(new_fetcher, [faults.url("/feed", f"host{number}.test") for number in range(5)])
    assert faults.most_open_requests == 5


def test_case_and_a_trailing_dot_make_no_other_host(faults, new_fetcher):
    faults.play("/feed", [0.02, FEED])
    visit_all(new_fetcher, [faults.url("/feed", host) for host in ["news.test", "NEWS.test", "news.test."]])
    assert faults.most_open_requests == 1


def test_the_pause_between_two_requests_is_kept(faults, new_fetcher):
    urls = [faults.play(f"/{number}", [FEED]) for number in range(3)]
    visit_all(new_fetcher, urls, host_gap_seconds=0.1)
    assert all(pause >= 0.1 for pause in pauses(faults))


def test_a_longer_crawl_delay_wins(faults, new_fetcher):
    urls = [faults.play(f"/{number}", [FEED]) for number in range(2)]
    visit_all(new_fetcher, urls, host_gap_seconds=0.01, crawl_delay=0.15)
    assert pauses(faults)[0] >= 0.15


def test_a_redirect_on_the_same_host_waits_its_turn_too(faults, new_fetcher):
    faults.play("/old", [{"status": 301, "Location": "/new"}])
    faults.play("/new", [FEED])
    visit_all(new_fetcher, [faults.url("/old")], host_gap_seconds=0.1)
    assert pauses(faults)[0] >= 0.1


def test_redirects_that_cross_do_not_wait_for_each_other_for_ever(faults, new_fetcher):
    """Each host sends its visitor to the other, both at once: a turn is given back before the next is taken."""
    faults.play("/a", [0.05, {"status": 302, "Location": faults.url("/end", "b.test")}])
    faults.play("/b", [0.05, {"status": 302, "Location": faults.url("/end", "a.test")}])
    faults.play("/end", [FEED])
    outcomes = visit_all(new_fetcher, [faults.url("/a", "a.test"), faults.url("/b", "b.test")])
    assert all(isinstance(outcome, Fetched) for outcome in outcomes)


def test_waiting_for_a_turn_does_not_count_as_time_of_the_visit(faults, new_fetcher):
    """Six visits of 0.4 s in a row, each with a deadline of two seconds: the last waits as long as that."""
    urls = [faults.play(f"/{number}", [0.4, FEED]) for number in range(6)]
    outcomes = visit_all(new_fetcher, urls, total_seconds=2)
    assert all(isinstance(outcome, Fetched) and outcome.duration_seconds < 2 for outcome in outcomes)


def test_a_failed_visit_gives_its_turn_back(faults, new_fetcher):
    urls = [faults.play("/hang", ["hang"]), faults.play("/feed", [FEED])]
    first, second = visit_all(new_fetcher, urls, total_seconds=1.5)
    assert isinstance(first, Failed)
    assert first.kind is FailureKind.TIMEOUT
    assert isinstance(second, Fetched)


def test_a_cancelled_visit_gives_its_turn_back(faults, new_fetcher):
    faults.play("/hang", ["hang"])
    faults.play("/feed", [FEED])

    async def visits():
        async with new_fetcher() as fetcher:
            hanging = asyncio.create_task(fetcher.get(faults.url("/hang")))
            await asyncio.sleep(0.05)
            hanging.cancel()
            with pytest.raises(asyncio.CancelledError):
                await hanging
            return await fetcher.get(faults.url("/feed"))

    assert isinstance(event_loop.run(visits()), Fetched)


def test_only_hosts_that_have_rested_are_forgotten(monkeypatch):
    """Memory is bounded by the hosts of the last minute, and a pause in force is never forgotten."""

    async def take_many():
        turns = HostTurns()
        for number in range(4096 + 10):
            async with turns.take(f"host{number}", 0):
                pass
        recent = len(turns._turns)
        now = asyncio.get_running_loop().time()
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now + 61)
        for number in range(8192):
            async with turns.take(f"later{number}", 0):
                pass
        return recent, len(turns._turns)

    recent, later = event_loop.run(take_many())
    assert recent == 4106
    assert later <= 8192
