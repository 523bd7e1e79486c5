"""Claims are fair and exclusive; what a visit leaves behind is kept; addresses move after three redirects."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.store import claims, sources, visits
from monitor.store.engine import Database
from monitor.store.source_list import list_with_health

LEASE = timedelta(minutes=10)


def add(database: Database, now: datetime, *urls: str) -> None:
    with database.write() as session:
        for number, url in enumerate(urls):
            spec = SourceSpec(f"s{number:03}", url, "Agency", "CA", Language.EN)
            # Each a second later than the one before: the order of waiting is known.
            sources.save_source(session, spec, actor="test", now=now + timedelta(seconds=number))


def claim(database: Database, now: datetime, *, limit: int = 100, per_host: int = 100) -> dict[str, list[int]]:
    with database.write() as session:
        return claims.claim_due_sources(session, now, limit=limit, per_host=per_host, lease=LEASE)


def test_the_cap_per_host_comes_before_the_limit(database: Database, now: datetime) -> None:
    crowd = [f"https://crowd.example/{n}" for n in range(20)]
    add(database, now, *crowd, "https://late.example/feed", "https://later.example/feed")
    claimed = claim(database, now + timedelta(hours=1), limit=4, per_host=2)
    assert {host: len(ids) for host, ids in claimed.items()} == {
        "crowd.example": 2,
        "late.example": 1,
        "later.example": 1,
    }


def test_a_host_on_lease_is_left_alone_until_the_lease_ends(database: Database, now: datetime) -> None:
    add(database, now, "https://a.example/1", "https://a.example/2", "https://b.example/1")
    later = now + timedelta(hours=1)
    assert set(claim(database, later, per_host=1)) == {"a.example", "b.example"}
    assert claim(database, later) == {}
    again = claim(database, later + LEASE)
    assert {host: len(ids) for host, ids in again.items()} == {"a.example": 2, "b.example": 1}


def test_only_due_sources_are_claimed_unless_one_is_named(database: Database, now: datetime) -> None:
    add(database, now, "https://a.example/1", "https://b.example/1")
    assert set(claim(database, now)) == {"a.example"}
    with database.write() as session:
        named = claims.claim_due_sources(session, now, limit=1, per_host=1, lease=LEASE, slug="s001")
    assert set(named) == {"b.example"}


@pytest.mark.parametrize(
    ("targets", "address"),
    [
        (["https://new.example/f"] * 2, "https://old.example/f"),
        (["https://new.example/f"] * 3, "https://new.example/f"),
        (["https://new.example/f", None, "https://new.example/f", "https://new.example/f"], "https://old.example/f"),
        (["https://new.example/f", "https://other.example/f"] * 3, "https://old.example/f"),
        (["https://taken.example/f"] * 5, "https://old.example/f"),
    ],
)
def test_a_new_address_is_kept_after_three_identical_answers(
    database: Database, now: datetime, targets: list[str | None], address: str
) -> None:
    add(database, now, "https://old.example/f", "https://taken.example/f")
    for target in targets:
        with database.write() as session:
            (state,) = [state for state in visits.load_states(session, [1, 2]) if state.spec.slug == "s000"]
            visits.note_permanent_url(session, state, target, confirmations=3, now=now)
    with database.read() as session:
        rows = {row.slug: row for row in sources.list_sources(session)}
    assert rows["s000"].url == address
    assert rows["s000"].host == address.split("/")[2]


def test_a_new_address_in_the_config_forgets_the_old_validators(database: Database, now: datetime) -> None:
    add(database, now, "https://a.example/1")
    with database.write() as session:
        (before,) = visits.load_states(session, [1])
        changes = {"etag": '"1"', "next_poll_at": now + timedelta(days=1)}
        poll = {"source_id": 1, "started_at": now, "duration_ms": 1, "outcome": "read"}
        visits.record_visits(session, [visits.VisitRecord(before, changes, poll)])
    add(database, now, "https://a.example/2")
    with database.read() as session:
        (state,) = visits.load_states(session, [1])
        (row,) = sources.list_sources(session)
    assert state.etag is None
    assert row.next_poll_at == now


@pytest.mark.parametrize("text", ["Élections", "ÉLECTIONS", "élec"])
def test_a_search_heeds_no_case_of_any_letter(database: Database, now: datetime, text: str) -> None:
    spec = SourceSpec("vote", "https://a.example/1", "Élections Canada", "CA", Language.FR)
    with database.write() as session:
        sources.save_source(session, spec, actor="test", now=now)
        assert [source.slug for source in list_with_health(session, now, text=text)] == ["vote"]
