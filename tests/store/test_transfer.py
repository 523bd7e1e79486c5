"""An installation moves between the two kinds of database, and into a backup and back, with every row and id."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, text, update
from sqlmodel import col, select

from monitor.core.languages import Language
from monitor.core.nouns import Entry, Pillar, SourceSpec, Topic, Watch
from monitor.core.schedule import Schedule
from monitor.core.text import content_hash
from monitor.errors import Conflict, Refused
from monitor.matching.query import parse_query
from monitor.store import config, items, transfer
from monitor.store.archive import find_candidates
from monitor.store.backup import back_up, restore
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.store.tables import ItemRow, SourceRow, SubscriberRow
from monitor.store.transfer import copy_database
from monitor.subscriptions.subscribe import subscribe_confirmed

NAMES = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}
ITEMS, BATCH = 250, 100


@pytest.fixture
def filled(database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An installation with items, more than go over at once, a subscriber, and ids that were given and are gone."""
    monkeypatch.setattr(transfer, "BATCH", BATCH)
    topic = Topic("norad", "security", NAMES, (Watch("norad", "any", Language.ANY, "NORAD"),), threshold=0.5)
    source = SourceSpec("news", "https://news.example/feed", "Agence d’été", "CA", Language.FR)
    with database.write() as session:
        files = Config((Pillar("security", NAMES),), (topic,), (source,))
        config.apply(session, config.plan(session, files), actor="test", now=now)
        source_id = session.exec(select(SourceRow.id)).one() or 0
        entries = [
            Entry(f"k{n}", f"https://news.example/{n}", f"NORAD {n} ⚓ é", content_hash=content_hash(str(n)))
            for n in range(ITEMS)
        ]
        items.insert_entries(session, source_id, "fr", entries, now)
        for number in range(3):
            subscribe_confirmed(
                session,
                f"reader{number}@example.org",
                topics=["norad"],
                language=Language.FR,
                schedule=Schedule(weekday=0, hour=7, zone="America/Toronto"),
                consent={"how": "a form"},
                actor="test",
                now=now,
            )
        session.connection().execute(delete(SubscriberRow).where(col(SubscriberRow.id) == 3))
    return database


@pytest.fixture
def other(filled: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """An empty database of the other kind."""
    with ExitStack() as held:
        if filled.is_sqlite:
            address = held.enter_context(request.getfixturevalue("create_database")())
        else:
            address = f"sqlite:///{tmp_path / 'other.db'}"
        database = Database(address)
        yield database
        database.close()


def quietly(_table: str, _done: int, _total: int) -> None:
    """No progress is shown."""


def test_everything_is_over_and_the_same(filled: Database, other: Database, now: datetime) -> None:
    copied = {table.table: table for table in copy_database(filled, other, now, quietly)}
    assert copied["item"].rows == ITEMS
    assert copied["subscriber"].rows == 2
    with filled.read() as mine, other.read() as theirs:
        query = select(ItemRow).order_by(col(ItemRow.id))
        assert [row.model_dump() for row in mine.exec(query)] == [row.model_dump() for row in theirs.exec(query)]
        found = find_candidates(theirs, [parse_query('"NORAD 17"', Language.ANY)], now - timedelta(days=1))
        assert found, "the archive is searched there"


def test_no_id_is_given_twice(filled: Database, other: Database, now: datetime) -> None:
    copy_database(filled, other, now, quietly)
    with other.write() as session:
        new = subscribe_confirmed(
            session,
            "new@example.org",
            topics=[],
            language=Language.EN,
            schedule=Schedule(weekday=0, hour=7, zone="UTC"),
            consent={},
            actor="test",
            now=now,
        )
    assert new == 4, "three was somebody's, who is gone: links in mails hold it"


def test_a_copy_that_was_broken_off_goes_on(
    filled: Database, other: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    inserted: list[int] = []
    original = transfer._insert

    def counted(session: Any, table: Any, rows: Any) -> None:
        original(session, table, rows)
        if table.name == "item":
            inserted.append(len(rows))
            if len(inserted) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(transfer, "_insert", counted)
    with pytest.raises(KeyboardInterrupt):
        copy_database(filled, other, now, quietly)
    with other.read() as session:
        assert session.exec(select(func.count()).select_from(ItemRow)).one() == BATCH
    assert copy_database(filled, other, now, quietly)
    assert inserted == [100, 100, 100, 50], "what was committed did not go over again"


def test_a_difference_is_told(
    filled: Database, other: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_carry_sequences", lambda *_: None)
    original = transfer._verified

    def tampered(*arguments: Any) -> Any:
        with other.write() as session:
            session.connection().execute(update(ItemRow).where(col(ItemRow.id) == 7).values(title="NORAD 6"))
        return original(*arguments)

    monkeypatch.setattr(transfer, "_verified", tampered)
    with pytest.raises(Conflict, match="differ in item"):
        copy_database(filled, other, now, quietly)


def test_a_target_with_rows_is_left_alone(filled: Database, other: Database, now: datetime) -> None:
    copy_database(filled, other, now, quietly)
    with pytest.raises(Refused, match="the target holds rows"):
        copy_database(filled, other, now, quietly)


def test_a_source_of_an_earlier_release_is_refused(filled: Database, other: Database, now: datetime) -> None:
    with filled.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(Refused, match="run `monitor db upgrade` there"):
        copy_database(filled, other, now, quietly)


def test_a_backup_is_restored_into_the_other_kind(
    filled: Database, other: Database, now: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    (tmp_path / "backup.db.part").write_bytes(b"what a killed one left")
    back_up(filled, file, now, quietly)
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    restore(file, other, now, quietly)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("backup*")) == ["backup.db"]
    with filled.read() as mine, other.read() as theirs:
        for table in (ItemRow, SubscriberRow):
            query = select(table).order_by(col(table.id))
            assert [row.model_dump() for row in mine.exec(query)] == [row.model_dump() for row in theirs.exec(query)]


def test_what_is_no_backup_is_refused(filled: Database, other: Database, now: datetime, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    with pytest.raises(Refused, match="no such file"):
        restore(file, other, now, quietly)
    file.write_bytes(b"x" * 10_000)
    with pytest.raises(Refused, match="is no backup"):
        restore(file, other, now, quietly)
    with pytest.raises(Refused, match="name a new file"):
        back_up(filled, file, now, quietly)
