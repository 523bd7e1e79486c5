"""An archive becomes items of the past: each once, none mailed, bad lines named, memory constant."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, func, select

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.errors import Conflict, Refused
from monitor.store import claims, items, sources
from monitor.store.config import stored_config
from monitor.store.engine import Database
from monitor.store.holdings import LATE_ARRIVALS
from monitor.store.imports import Imported, archive_source, import_archive, read_release
from monitor.store.tables import EventRow, ItemRow, SourceRow, SubscriberRow

SPEC = archive_source("ministry", agency="Ministry of Snow", country="CA", language=Language.EN)


def release(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "url": f"https://ministry.example/{number}",
        "title": f"Statement {number}",
        "published": "2024-03-05 09:30:00-05:00",
        "modified": "2024-03-06 09:30:00-05:00",
        "category": "statements",
        "markdown": "The **minister** met [NORAD](https://norad.example).\n\n- one\n- two",
    }
    return {name: value for name, value in (row | changes).items() if value is not None}


def lines(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def load(database: Database, now: datetime, data: bytes, spec: SourceSpec = SPEC) -> Imported:
    return import_archive(database, io.BytesIO(data), spec, now)


def all_items(database: Database) -> list[ItemRow]:
    with database.read() as session:
        return list(session.exec(select(ItemRow).order_by(col(ItemRow.id))))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_releases_become_items_first_seen_when_they_were_published(database: Database, now: datetime, pack) -> None:
    done = load(database, now, pack(lines(release(1), release(2, published="2024-03-07"))))
    assert (done.lines, done.new, done.known, done.bad) == (2, 2, 0, [])
    first, second = all_items(database)
    assert (first.title, first.body) == ("Statement 1", "The minister met NORAD.\none\ntwo")
    assert (first.url, first.language, first.categories) == ("https://ministry.example/1", "en", ["statements"])
    assert first.first_seen_at == first.published_at == datetime(2024, 3, 5, 14, 30, tzinfo=UTC)
    assert second.first_seen_at == datetime(2024, 3, 7, tzinfo=UTC)
    with database.read() as session:
        assert items.unmatched_ids(session, limit=10) == [first.id, second.id]


def test_a_second_import_brings_nothing_and_changes_nothing(database: Database, now: datetime) -> None:
    load(database, now, lines(release(1), release(2)))
    done = load(database, now, lines(release(1), release(2, title="Changed"), release(3), release(3)))
    assert (done.new, done.known) == (1, 3)
    assert [row.title for row in all_items(database)] == ["Statement 1", "Statement 2", "Statement 3"]


def test_what_was_polled_already_is_known_by_its_address(database: Database, now: datetime) -> None:
    load(database, now, lines(release(1)))
    other = archive_source("another", agency="Another", country="US", language=Language.EN)
    assert load(database, now, lines(release(1)), other).known == 1


def test_the_source_is_never_visited_and_is_no_part_of_the_config(database: Database, now: datetime) -> None:
    load(database, now, lines(release(1)))
    with database.write() as session:
        row = session.exec(select(SourceRow)).one()
        assert (row.slug, row.agency, row.country, row.state) == ("ministry", "Ministry of Snow", "CA", "ended")
        later = now + timedelta(days=400)
        assert claims.claim_due_sources(session, later, limit=9, per_host=9, lease=timedelta(1)) == {}
        assert stored_config(session).sources == ()
        assert [event.noun_id for event in session.exec(select(EventRow))] == ["ministry"]


def test_a_source_that_is_there_keeps_what_is_written_of_it(database: Database, now: datetime) -> None:
    live = SourceSpec("ministry", "https://ministry.example/feed", "The Ministry", "CA", Language.EN)
    with database.write() as session:
        source_id = sources.save_source(session, live, actor="test", now=now)
    load(database, now, lines(release(1)))
    assert [row.source_id for row in all_items(database)] == [source_id]
    with database.read() as session:
        assert session.exec(select(SourceRow.agency, SourceRow.state)).all() == [("The Ministry", "active")]


def test_no_digest_looks_back_to_what_was_imported(database: Database, now: datetime) -> None:
    """Published yesterday, and a subscriber whose last digest was a month ago: the item counts as older still."""
    until = now - timedelta(days=30)
    with database.write() as session:
        session.add(
            SubscriberRow(
                address="a@example.org",
                state="active",
                language="en",
                frequency="weekly",
                weekday=0,
                hour=8,
                zone="UTC",
                consent={},
                created_at=now - timedelta(days=90),
                digested_until=until,
                next_digest_at=now,
            )
        )
    recent = (now - timedelta(days=1)).isoformat()
    load(database, now, lines(release(1, published=recent), release(2, published="2999-01-01")))
    stored = all_items(database)
    assert all(row.first_seen_at < until - LATE_ARRIVALS for row in stored)
    assert stored[0].published_at == now - timedelta(days=1), "the date of publication stays what it is"


BAD = [
    (b"{not json", "no JSON"),
    (b"[" * 100_000, "no JSON"),
    (b"\xff\xfe\x00", "no JSON"),
    (b'"text"', "no JSON object"),
    (release(1, url=None), "no web address"),
    (release(1, url="javascript:alert(1)"), "no web address"),
    (release(1, url="https://x.example/" + "a" * 3_000), "no web address"),
    (release(1, title=" \u2060 "), "no title"),
    (release(1, title=7), "title is no text"),
    (release(1, published=None), "published '' is no time"),
    (release(1, published="yesterday"), "published 'yesterday' is no time"),
    (release(1, language="de"), "language 'de'"),
    (release(1, category=[["deep"]]), "category is no text"),
]


@pytest.mark.parametrize(("line", "problem"), BAD, ids=[f"{number}" for number in range(len(BAD))])
def test_a_bad_line_is_named_and_skipped(line: Any, problem: str) -> None:
    with pytest.raises(ValueError, match="^" + problem.replace("(", r"\(") if problem.startswith("no J") else problem):
        read_release(lines(line), Language.EN)


def test_bad_lines_are_told_by_number_and_the_rest_is_stored(database: Database, now: datetime) -> None:
    done = load(database, now, lines(release(1), b"", b"{", release(2), {"url": "ftp://x"}))
    assert done.new == 2
    assert [number for number, _ in done.bad] == [3, 5]
    assert (done.lines, done.known) == (4, 0)


def test_a_line_that_is_too_long_is_skipped_without_being_held(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.store.imports._LONGEST_LINE", 1_000)
    done = load(database, now, lines(release(1), release(2, markdown="x" * 5_000), release(3)))
    assert done.new == 2
    assert done.bad == [(2, "longer than 1,000 bytes")]


def test_what_no_database_takes_is_dropped(database: Database, now: datetime) -> None:
    odd = release(1, title="Sno\u2060w\x00", markdown="a\x00b \ud800 c")
    assert load(database, now, lines(odd)).new == 1
    (row,) = all_items(database)
    assert (row.title, row.body) == ("Snow", "ab c")


def test_a_damaged_archive_is_refused_and_what_came_before_stays(database: Database, now: datetime) -> None:
    data = gzip.compress(lines(*(release(number) for number in range(3_000))))
    with pytest.raises(Refused, match="damaged after line"):
        load(database, now, data[: len(data) // 2])
    with database.read() as session:
        assert 0 < session.exec(select(func.count()).select_from(ItemRow)).one() < 3_000


@pytest.mark.parametrize(("slug", "country"), [("Bad Slug", "CA"), ("fine", "Canada"), ("", "CA")])
def test_a_source_is_named_as_in_the_config(slug: str, country: str) -> None:
    with pytest.raises(Refused):
        archive_source(slug, agency="", country=country, language=Language.EN)


def test_an_archive_is_never_visited(database: Database, now: datetime) -> None:
    load(database, now, lines(release(1)))
    with database.write() as session, pytest.raises(Conflict, match="archive"):
        sources.set_source_state(session, "ministry", "active", actor="test", now=now)
