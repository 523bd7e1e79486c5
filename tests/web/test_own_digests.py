"""A reader's archive, and why something came or did not: told from the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceSpec
from monitor.review.verdicts import judge
from monitor.store.items import insert_entries
from monitor.store.sources import save_source
from monitor.store.tables import ItemRow, MatchRow


def publish(site: Any, *titles: str) -> None:
    spec = SourceSpec("agency", "https://agency.example/feed", "Agency", "CA", Language.EN)
    entries = [Entry(title, url(title), title) for title in titles]
    with site.app.database.write() as session:
        source_id = save_source(session, spec, actor="test", now=site.now)
        insert_entries(session, source_id, "en", entries, site.now)


def url(title: str) -> str:
    return f"https://agency.example/{title.replace(' ', '-')}"


def why(site: Any, about: str, **lang: str) -> str:
    text: str = site.ask("GET", f"{site.preferences()}/digests", params={"about": about, **lang}).text
    return text


@pytest.fixture
def reader(site: Any) -> Any:
    """A subscriber to NORAD alone, whose weekly digests end on Mondays at eight."""
    site.subscribe(weekday=0, hour=8, zone="UTC")
    site.post(site.preferences(), {"action": "topics", "scope": "some", "topics": ["norad"]})
    site.tick("start_due_digests")
    return site


def test_the_archive_holds_what_was_sent(reader: Any) -> None:
    assert "No digest has gone out to you yet." in why(reader, "")
    publish(reader, "NORAD is renewed")
    reader.tick("recover_lost_work")
    reader.wait(timedelta(days=7))
    reader.tick("start_due_digests")
    page = reader.get(f"{reader.preferences()}/digests").text
    assert "NORAD: NORAD is renewed" in page
    copy = page.partition('<li><a href="')[2].partition('"')[0]
    assert "NORAD is renewed" in reader.get(copy).text
    assert "23 November" not in why(reader, url("NORAD is renewed"))
    assert "It was in your digest of" in why(reader, url("NORAD is renewed"))
    assert "<form" in why(reader, url("NORAD is renewed"), lang="fr")


def test_each_cause_has_its_answer(reader: Any) -> None:
    publish(reader, "NORAD waits", "NORAD in passing", "NORAD is noise", "A border", "A park")
    assert "has not been matched" in why(reader, url("NORAD waits"))
    reader.tick("recover_lost_work")
    with reader.app.database.write() as session:
        connection = session.connection()
        rows = {row.url: row.id for row in reader.rows(ItemRow)}
        passing = col(MatchRow.item_id) == rows[url("NORAD in passing")]
        connection.execute(update(MatchRow).where(passing).values(worthy=False))
        noise = next(row.id for row in reader.rows(MatchRow) if row.item_id == rows[url("NORAD is noise")])
        judge(session, [noise], "noise", reviewer="r", now=reader.now)
    assert "comes with your digest of" in why(reader, url("NORAD waits"))
    assert "30 November" in why(reader, url("NORAD waits"))
    assert "only in passing" in why(reader, url("NORAD in passing"))
    assert "A reviewer found" in why(reader, url("NORAD is noise"))
    assert "belongs to Border, which you do not follow" in why(reader, url("A border"))
    assert "No topic" in why(reader, url("A park"))
    assert "not found at any source" in why(reader, "https://elsewhere.example/")
    assert "not found at any source" in why(reader, "<script>alert(1)</script>")
    assert "<script>alert" not in why(reader, "<script>alert(1)</script>")


def test_a_note_alone_does_not_pass_what_waits_for_a_reviewer(reader: Any) -> None:
    told = reader.app.settings.model_copy(update={"hold_for_review": True})
    reader.app = reader.web.state.app = replace(reader.app, settings=told)
    publish(reader, "NORAD is noted")
    reader.tick("recover_lost_work")
    (match,) = reader.rows(MatchRow)
    for word, says in (("", "waits for a reviewer"), ("starred", "comes with your digest of")):
        with reader.app.database.write() as session:
            judge(session, [match.id], word, reviewer="r", now=reader.now, note="ask them")
        assert says in why(reader, url("NORAD is noted"))


def test_the_archive_is_its_readers_alone(reader: Any) -> None:
    assert reader.get(f"{reader.preferences()}x/digests").status_code == 404
