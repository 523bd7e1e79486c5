"""Lists that go on over several pages: read as far as they are new, never in circles (FAULTS 31)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from monitor import event_loop
from monitor.core.languages import Language
from monitor.core.nouns import SourceKind, SourceSpec
from monitor.polling.visit import visit_sources
from monitor.store.engine import Database
from monitor.store.sources import save_source
from monitor.store.tables import ItemRow, PollRow, SourceRow
from monitor.store.visits import load_states

ROBOTS = {"status": 404}


def listing(numbers: Sequence[int], following: str = "") -> dict[str, Any]:
    rows = "".join(f'<li><a href="/r/{number}">Release number {number}</a></li>' for number in numbers)
    link = f'<a class="more" rel="next" href="{following}">Older</a>' if following else ""
    return {"body": f"<html lang='en'><ul>{rows}</ul>{link}</html>".encode(), "Content-Type": "text/html"}


class Newsroom:
    """A list whose pages the test sets; page 1 is at ``/list``, the others at ``/list?page=N``."""

    def __init__(self, faults: Any, new_fetcher: Any, database: Database, now: datetime) -> None:
        self.faults, self.new_fetcher, self.database, self.now = faults, new_fetcher, database, now
        faults.play("/robots.txt", [ROBOTS])
        spec = SourceSpec("s", faults.url("/list"), "A", "CA", Language.EN, SourceKind.PAGE, {"item": "li"})
        with database.write() as session:
            self.source_id = save_source(session, spec, actor="test", now=now)

    def visit(self, *pages: Any) -> str:
        """Visit the list while it has these pages; what the history says of it."""
        self.now += timedelta(hours=3)
        del self.faults.requests[:]
        for number, page in enumerate(pages, start=1):
            self.faults.play("/list" if number == 1 else f"/list?page={number}", [page])
        event_loop.run(self._visit())
        with self.database.read() as session:
            latest = session.exec(select(PollRow).order_by(col(PollRow.id).desc()).limit(1)).one()
        return latest.detail

    async def _visit(self) -> None:
        with self.database.read() as session:
            states = load_states(session, [self.source_id])
        async with self.new_fetcher() as fetcher:
            await visit_sources(self.database, fetcher, states, clock=lambda: self.now, at_once=1)

    @property
    def asked(self) -> list[str]:
        """The pages asked for at the last visit."""
        return [request.target for request in self.faults.requests if request.target != "/robots.txt"]

    @property
    def stored(self) -> set[int]:
        with self.database.read() as session:
            return {int(url.rpartition("/")[2]) for url in session.exec(select(ItemRow.url))}

    @property
    def health(self) -> str:
        with self.database.read() as session:
            return session.exec(select(SourceRow.health)).one()


@pytest.fixture
def newsroom(faults: Any, new_fetcher: Any, database: Database, now: datetime) -> Newsroom:
    return Newsroom(faults, new_fetcher, database, now)


def test_pages_are_turned_as_far_as_nothing_is_known(newsroom: Newsroom) -> None:
    newsroom.visit(listing([3, 2], "/list?page=2"), listing([1, 0]))
    assert newsroom.asked == ["/list"], "the first visit reads the first page alone"

    newsroom.visit(listing([4, 3], "/list?page=2"), listing([2, 1]))
    assert newsroom.asked == ["/list"], "an item of page 1 is known"

    pages = [listing([10, 9], "/list?page=2"), listing([8, 7], "/list?page=3"), listing([6, 4], "/list?page=4")]
    assert newsroom.visit(*pages, listing([3, 2])) == ""
    assert newsroom.asked == ["/list", "/list?page=2", "/list?page=3"]
    assert newsroom.stored == {2, 3, 4, 6, 7, 8, 9, 10}
    assert newsroom.health == "well", "page 3 met what was known, so that nothing was missed"

    newsroom.visit(*pages)
    assert newsroom.asked == ["/list"], "the same body ends the visit"


def test_page_2_that_is_page_1_is_named_and_ends_it(newsroom: Newsroom) -> None:
    newsroom.visit(listing([2, 1]))
    again = listing([4, 3], "/list?page=2")
    assert newsroom.visit(again, again) == "page 2 is page 1 again: the site does not turn its pages"
    assert newsroom.asked == ["/list", "/list?page=2"]
    assert newsroom.stored == {1, 2, 3, 4}
    assert newsroom.health == "missed items"


def test_a_list_without_end_is_left_after_five_pages(newsroom: Newsroom) -> None:
    newsroom.visit(listing([1]))
    pages = [listing([100 - number], f"/list?page={number + 1}") for number in range(1, 9)]
    assert "5 pages held nothing known" in newsroom.visit(*pages)
    assert newsroom.asked[-1] == "/list?page=5"
    assert newsroom.stored == {1, 95, 96, 97, 98, 99}


@pytest.mark.parametrize(
    ("second", "says"),
    [({"status": 503}, "page 2 could not be read"), ({"body": b"<html><p>Nothing</p></html>"}, "finds nothing")],
)
def test_a_second_page_in_trouble_spoils_nothing(newsroom: Newsroom, second: Any, says: str) -> None:
    newsroom.visit(listing([1]))
    assert says in newsroom.visit(listing([3, 2], "/list?page=2"), second)
    assert newsroom.stored == {1, 2, 3}


def test_a_closed_page_and_another_host_are_not_asked(newsroom: Newsroom) -> None:
    newsroom.visit(listing([1]))
    newsroom.visit(listing([3, 2], newsroom.faults.url("/list?page=2", host="localhost")))
    assert newsroom.asked == ["/list"]
    newsroom.faults.play("/robots.txt", [{"body": b"User-agent: *\nDisallow: /list?page"}])
    assert "closes this page" in newsroom.visit(listing([5, 4], "/list?page=2"))
    assert newsroom.asked == ["/list"]
