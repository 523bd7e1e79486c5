"""Steps of the schema while PostgreSQL is at work: nobody waits long, and a step that was killed goes on."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from monitor.store import migrate
from monitor.store.engine import Database
from monitor.store.migrate import newest_version, schema_version, upgrade

LAST_BEFORE_USE = "0011"
"""Up to here tables were empty: the first installation begins with all of it."""

ROWS = 60_000
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

STEP = """
import sqlalchemy as sa
from alembic import op
from monitor.store.migrations import online

revision = "{number}"
down_revision = "{follows}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {what}
"""
COLUMN = 'op.add_column("item", sa.Column("grade", sa.Integer(), server_default="0", nullable=False))'
INDEX = 'online.create_index("ix_item_grade", "item", ["grade", "title", "id"], where="grade >= 0")'


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Adds steps behind the newest one."""
    original = migrate._config

    def config(connection: Any = None) -> Any:
        made = original(connection)
        own = Path(migrate.__file__).parent / "migrations" / "versions"
        made.set_main_option("version_locations", f"{own}:{tmp_path}")
        return made

    def add(*bodies: str) -> None:
        follows = newest_version()
        for count, body in enumerate(bodies):
            number = f"99{count:02}"
            (tmp_path / f"{number}_step.py").write_text(STEP.format(number=number, follows=follows, what=body))
            follows = number
        monkeypatch.setattr(migrate, "_config", config)

    return add


@pytest.fixture
def full(database: Database, now: datetime) -> Database:
    """A database with many items."""
    with database.write() as session:
        connection = session.connection()
        connection.execute(
            text("""INSERT INTO source (slug, url, host, agency, country, language, kind, note, state, next_poll_at,
                interval_seconds, failures, health, last_error, added_at, last_verified, applied_hash,
                permanent_url_count, told_count)
            SELECT 's' || n, 'https://h/' || n, 'h' || n, 'A', 'CA', 'en', 'feed', '', 'active', now(), 60, 0,
                'healthy', '', now(), '', '', 0, 0 FROM generate_series(1, 10) AS n""")
        )
        connection.execute(text(f"{_ITEMS} FROM generate_series(1, {ROWS}) AS n"))
    return database


_ITEMS = """INSERT INTO item (source_id, key, url, title, summary, body, language, first_seen_at, revised_at,
    content_hash, revision, matched_revision, fingerprint, article_state, article_hash, canonical_url)
    SELECT 1 + n % 10, 'k' || n, 'https://x.example/' || n, 'Title ' || n, repeat('Words of news. ', 20), '', 'en',
        now(), now(), md5(n::text), 1, 1, '', 'none', '', ''"""


class Work:
    """Somebody who goes on reading and writing, and how long each turn took, in seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._over = threading.Event()
        self.turns: list[float] = []
        self.failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Work:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        number = ROWS
        while not self._over.is_set():
            number += 1
            started = time.monotonic()
            try:
                with self._database.write() as session:
                    connection = session.connection()
                    connection.execute(text(f"{_ITEMS} FROM (SELECT CAST(:n AS integer) AS n)"), {"n": number})
                    connection.execute(
                        text("UPDATE item SET revision = revision + 1 WHERE id = :n"), {"n": number % 99}
                    )
                with self._database.read() as session:
                    session.connection().execute(text("SELECT max(id) FROM item")).scalar()
            except Exception as error:  # noqa: BLE001 - shown by the test
                self.failures.append(error)
                return
            self.turns.append(time.monotonic() - started)


@on_postgresql
def test_others_read_and_write_while_the_schema_changes(full: Database, steps: Any, now: datetime) -> None:
    steps(COLUMN, INDEX)
    with Work(full) as work:
        upgrade(full, now)
    assert work.failures == []
    assert schema_version(full) == newest_version() == "9901"
    assert len(work.turns) > 3
    assert max(work.turns) < 5, "nobody waited for longer than a step may wait for its lock"
    assert _valid_index(full)


@on_postgresql
def test_a_step_lets_others_pass_while_it_waits_for_a_lock(full: Database, steps: Any, now: datetime) -> None:
    steps(COLUMN)
    with full.write() as session:
        session.connection().execute(text("SELECT count(*) FROM item"))  # holds off a change of the table
        changing = threading.Thread(target=upgrade, args=(full, now))
        with Work(full) as work:
            changing.start()
            time.sleep(6.5)
        assert changing.is_alive()
    changing.join(60)
    assert schema_version(full) == "9900"
    assert work.failures == []
    assert max(work.turns) < 6


@on_postgresql
def test_a_killed_index_is_built_anew(full: Database, steps: Any, now: datetime) -> None:
    """What a kill leaves behind is an invalid index under the same name, and the steps before it done."""
    steps(COLUMN, INDEX)
    stopped = threading.Event()

    def kill(_connection: Any, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("CREATE INDEX CONCURRENTLY") and not stopped.is_set():
            stopped.set()
            cursor.execute(re.sub("CREATE INDEX CONCURRENTLY", "CREATE INDEX", statement))
            cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_item_grade'::regclass")
            raise RuntimeError("the power is gone")

    event.listen(full.engine, "before_cursor_execute", kill)
    with pytest.raises(RuntimeError):
        upgrade(full, now)
    assert schema_version(full) == "9900"
    assert not _valid_index(full)
    upgrade(full, now)
    assert schema_version(full) == "9901"
    assert _valid_index(full)


def _valid_index(database: Database) -> bool:
    with database.read() as session:
        asked = text("SELECT indisvalid FROM pg_index WHERE indexrelid = CAST('ix_item_grade' AS regclass)")
        return bool(session.connection().execute(asked).scalar())


# ---- the rule ------------------------------------------------------------------------------------------------------

_CREATED = re.compile(r'CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)')
_BREACHES = (
    (re.compile(r'CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY).* ON "?(\w+)', re.DOTALL), "build it CONCURRENTLY"),
    (re.compile(r'ALTER TABLE "?(\w+)"? ADD COLUMN (?!.*DEFAULT).*NOT NULL', re.DOTALL), "give it a default"),
    (re.compile(r'ALTER TABLE "?(\w+)"? ADD COLUMN .*GENERATED ALWAYS', re.DOTALL), "it rewrites the table"),
    (
        re.compile(r'ALTER TABLE "?(\w+)"? ALTER COLUMN \w+ (?:TYPE|SET NOT NULL)'),
        "the whole table is read or rewritten",
    ),
    (
        re.compile(r'ALTER TABLE "?(\w+)"? ADD CONSTRAINT (?!.*NOT VALID).*(?:FOREIGN KEY|CHECK|UNIQUE)', re.DOTALL),
        "a constraint is added NOT VALID, or as an index built before",
    ),
    (re.compile(r'UPDATE "?(\w+)"?(?!.*WHERE.*(?:BETWEEN|LIMIT))', re.DOTALL), "rows are filled in bounded parts"),
)


def breaches(statements: list[str]) -> Iterator[str]:
    """What these statements do that would hold up a service at work; a table that they create is nobody's yet."""
    own = {found[1] for statement in statements if (found := _CREATED.match(statement.strip()))} | {"alembic_version"}
    for statement in map(str.strip, statements):
        for pattern, rule in _BREACHES:
            if (found := pattern.match(statement)) and found[1] not in own:
                yield f"{rule}: {statement}"


@pytest.mark.parametrize(
    ("statement", "breach"),
    [
        ("CREATE INDEX ix ON item (title)", True),
        ("CREATE INDEX CONCURRENTLY ix ON item (title)", False),
        ("ALTER TABLE item ADD COLUMN grade INTEGER NOT NULL", True),
        ("ALTER TABLE item ADD COLUMN grade INTEGER DEFAULT '0' NOT NULL", False),
        ("ALTER TABLE item ADD COLUMN missed_at TIMESTAMP WITH TIME ZONE", False),
        ("ALTER TABLE item ADD COLUMN at TIMESTAMP GENERATED ALWAYS AS (now()) STORED", True),
        ('ALTER TABLE "match" ALTER COLUMN news_at SET NOT NULL', True),
        ("ALTER TABLE item ADD CONSTRAINT fk FOREIGN KEY(source_id) REFERENCES source (id)", True),
        ("ALTER TABLE item ADD CONSTRAINT fk FOREIGN KEY(source_id) REFERENCES source (id) NOT VALID", False),
        ('UPDATE "match" SET source_id = 1', True),
        ('UPDATE "match" SET source_id = 1 WHERE id BETWEEN 1 AND 10000', False),
        ("UPDATE alembic_version SET version_num='0010' WHERE alembic_version.version_num = '0009'", False),
    ],
)
def test_what_holds_up_a_service_is_recognised(statement: str, *, breach: bool) -> None:
    assert bool(list(breaches([statement]))) is breach


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_step_holds_up_a_service_at_work(database_url: str, now: datetime) -> None:
    """Every step since tables may be full; those before break the rules, which shows that this test sees them."""
    database = Database(database_url)
    by_step: dict[str, list[str]] = {}
    pending: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        pending.append(statement)
        if found := re.search(r"version_num\D+'(\w+)'", statement):
            by_step[found[1]] = pending.copy()
            pending.clear()

    event.listen(database.engine, "before_cursor_execute", note)
    upgrade(database, now)
    database.close()
    assert set(by_step) >= {"0001", LAST_BEFORE_USE, newest_version()}
    found = {step: list(breaches(statements)) for step, statements in by_step.items()}
    assert found["0003"]
    assert {step: listed for step, listed in found.items() if listed and step > LAST_BEFORE_USE} == {}
