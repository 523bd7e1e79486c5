"""Three schedulers, four workers, kill -9 at random and a PostgreSQL that dies twice: nothing is lost or doubled."""

from __future__ import annotations

import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlmodel import col, func, select

from monitor.core.languages import Language
from monitor.core.nouns import Pillar, SourceSpec, Topic, Watch
from monitor.core.schedule import Frequency, Schedule
from monitor.errors import DatabaseBusy
from monitor.store import config, queue
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.queue_schema import prepare_queue
from monitor.store.tables import (
    DigestItemRow,
    DigestRow,
    EventRow,
    ItemRow,
    MatchRow,
    SlotRow,
    SourceRow,
    SubscriberRow,
)
from monitor.subscriptions.subscribe import subscribe_confirmed

NAMES = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}
READERS = 60
KILLS = 7
SEED = 7


@pytest.mark.timeout(420)
def test_nothing_is_lost_or_doubled(server: Any, newsroom: Any, mailbox: Any, start: Any, tmp_path: Path) -> None:
    taken, port = mailbox
    database = Database(server.url)
    prepare(database, newsroom.feeds)
    settings = mail_to(port) | {"MONITOR_DATABASE_URL": server.url}
    schedulers = [start("scheduler", **settings) for _ in range(3)]
    workers = [start("worker", **settings) for _ in range(4)]
    wait_for(lambda: count(database, ItemRow) >= len(newsroom.feeds), 150, "the first poll")

    chance = random.Random(SEED)
    for kill in range(KILLS):
        keep_due(database)
        if kill == KILLS // 3:
            make_everybody_due(database)
        time.sleep(chance.uniform(0.5, 2.0))
        victim = chance.choice([number for number, worker in enumerate(workers) if is_up(worker)] or [0])
        workers[victim].kill()
        workers[victim] = start("worker", **settings)
        if kill in {KILLS // 2, KILLS - 2}:
            server.shoot(away=chance.uniform(0.5, 2.5))
        if kill == KILLS - 3:
            schedulers[0].kill()
            schedulers[0] = start("scheduler", **settings)

    def all_is_done() -> bool:
        keep_due(database)
        ids = set(digests(database))
        return (
            count(database, ItemRow) == len(newsroom.feeds) * newsroom.limit and not waiting(database) and len(ids) > 0
        )

    wait_for(all_is_done, 150, "the end of the work")
    settle(database, schedulers + workers)
    for node in schedulers + workers:
        node.send_signal(signal.SIGTERM)
    assert [node.wait(30) for node in schedulers + workers] == [0] * 7, logs(tmp_path)

    check_items(database, newsroom)
    check_digests(database, taken)
    check_ticks(database)
    check_queue(database)
    assert not re.search(r"[\w.]+@example\.org|127\.0\.0\.1:8000/\w+/\w{20}", logs(tmp_path)), "addresses stay out"
    database.close()


@pytest.mark.timeout(300)
def test_behind_a_transaction_pooler(
    pooler: str, server: Any, newsroom: Any, mailbox: Any, start: Any, tmp_path: Path
) -> None:
    """The whole pipeline, from the first schema on, over connections that change hands after each transaction."""
    taken, port = mailbox
    database = Database(pooler, pooler=True)
    patiently(lambda: prepare(database, newsroom.feeds))
    settings = mail_to(port) | {"MONITOR_DATABASE_URL": pooler, "MONITOR_DATABASE_POOLER": "true"}
    nodes = [start("scheduler", **settings), start("worker", **settings), start("worker", **settings)]

    def all_is_polled() -> bool:
        keep_due(database)
        return all_is_stored(database, newsroom)

    wait_for(all_is_polled, 120, "the last poll")
    make_everybody_due(database)
    wait_for(lambda: not waiting(database) and digests(database), 60, "the last digest")
    settle(database, nodes)
    for node in nodes:
        node.send_signal(signal.SIGTERM)
    assert [node.wait(30) for node in nodes] == [0] * 3, logs(tmp_path)
    check_items(database, newsroom)
    check_digests(database, taken)
    check_queue(database)
    assert not re.search(r"prepared statement|did not answer|Traceback", logs(tmp_path))
    direct = Database(server.url)
    with direct.engine.connect() as connection:
        held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert connection.execute(held).scalar() == 0, "no lock outlives its transaction"
    direct.close()
    database.close()


def mail_to(port: int) -> dict[str, str]:
    """Settings that mail to a server on this machine."""
    return {
        "MONITOR_SMTP_HOST": "127.0.0.1",
        "MONITOR_SMTP_PORT": str(port),
        "MONITOR_SMTP_SECURITY": "none",
        "MONITOR_CONTACT": "desk@example.org",
        "MONITOR_POSTAL_ADDRESS": "1 Example Street",
        "MONITOR_POLL_HOST_GAP_SECONDS": "0",
        "MONITOR_LOG_FORMAT": "json",
    }


def prepare(database: Database, feeds: list[str]) -> None:
    now = datetime.now(UTC)
    upgrade(database, now)
    prepare_queue(database)
    topic = Topic("norad", "security", NAMES, (Watch("norad", "any", Language.ANY, "NORAD"),), threshold=0.0)
    sources = tuple(SourceSpec(f"news-{n}", url, f"Agency {n}", "CA", Language.EN) for n, url in enumerate(feeds))
    with database.write() as session:
        changes = config.plan(session, Config((Pillar("security", NAMES),), (topic,), sources))
        config.apply(session, changes, actor="test", now=now)
        for number in range(READERS):
            subscribe_confirmed(
                session,
                f"reader{number}@example.org",
                topics=[],
                language=Language.EN,
                schedule=Schedule(Frequency.DAILY, hour=7, zone="UTC"),
                consent={},
                actor="test",
                now=now,
            )
        # Not before the test says so: the first digest of a new subscriber is due at once.
        session.connection().execute(update(SubscriberRow).values(next_digest_at=now + timedelta(days=1)))


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.3)


def patiently(work: Callable[[], Any]) -> Any:
    """Do something with a database that may be away for a moment."""
    for _ in range(50):
        try:
            return work()
        except DatabaseBusy:
            time.sleep(0.2)
    return work()


def keep_due(database: Database) -> None:
    """Let every source be due that nobody has on lease, whatever its pace."""

    def due() -> None:
        with database.write() as session:
            session.connection().execute(update(SourceRow).values(next_poll_at=datetime.now(UTC)))

    patiently(due)


def make_everybody_due(database: Database) -> None:
    """Move what is stored into the window that ended this morning, and make that window's digests due."""

    def due() -> None:
        now = datetime.now(UTC)
        boundary = now.replace(hour=7, minute=0, second=0, microsecond=0)
        boundary -= timedelta(days=1) if boundary > now else timedelta(0)
        with database.write() as session:
            connection = session.connection()
            connection.execute(update(ItemRow).values(first_seen_at=boundary - timedelta(hours=1)))
            values = {"digested_until": boundary - timedelta(days=1), "next_digest_at": boundary}
            connection.execute(update(SubscriberRow).values(values))

    patiently(due)


def count(database: Database, table: type) -> int:
    def read() -> int:
        with database.read() as session:
            return session.exec(select(func.count()).select_from(table)).one()

    return int(patiently(read))


def all_is_stored(database: Database, newsroom: Any) -> bool:
    return count(database, ItemRow) == int(len(newsroom.feeds) * newsroom.limit)


def digests(database: Database) -> dict[int, DigestRow]:
    def read() -> dict[int, DigestRow]:
        with database.read() as session:
            return {row.id or 0: row for row in session.exec(select(DigestRow))}

    found: dict[int, DigestRow] = patiently(read)
    return found


def waiting(database: Database) -> list[str]:
    """What is still to be done, by the rows."""

    def read() -> list[str]:
        with database.read() as session:
            unmatched = session.exec(select(func.count()).where(ItemRow.matched_revision < ItemRow.revision)).one()
            unsent = session.exec(select(func.count()).where(col(DigestRow.state).in_(("built", "sending")))).one()
            due = session.exec(select(func.count()).where(SubscriberRow.next_digest_at <= datetime.now(UTC))).one()
        names = {"unmatched": unmatched, "unsent": unsent, "due": due}
        return [name for name, number in names.items() if number]

    found: list[str] = patiently(read)
    return found


def is_up(node: Any) -> bool:
    """Whether it has said that it works."""
    return node.log.exists() and "(stop with Ctrl-C)" in node.log.read_text()


def settle(database: Database, nodes: list[Any]) -> None:
    """Wait until all nodes are up, and what the dead ones held has been rescued and done."""
    wait_for(lambda: all(is_up(node) for node in nodes), 120, "the start of the last nodes")

    def idle() -> bool:
        with database.read() as session:
            return not any(state.running or state.waiting for state in queue.queue_states(session))

    wait_for(idle, 60, "an empty queue")


def check_items(database: Database, newsroom: Any) -> None:
    with database.read() as session:
        keys = Counter(session.exec(select(ItemRow.key)).all())
        matched = Counter(session.exec(select(MatchRow.item_id)).all())
        revised = session.exec(select(func.count()).where(ItemRow.revision > 1)).one()
    assert len(keys) == len(newsroom.feeds) * newsroom.limit, "0 items lost"
    assert set(keys.values()) == {1}, "0 items doubled"
    assert len(matched) == len(keys)
    assert set(matched.values()) == {1}, "each matched once"
    assert revised == 0, "none was taken for a change of itself"


def check_digests(database: Database, taken: list[str]) -> None:
    rows = digests(database)
    assert Counter(row.state for row in rows.values()) == {"sent": READERS}
    assert set(Counter(row.subscriber_id for row in rows.values()).values()) == {1}, "one row a reader"
    with database.read() as session:
        ledger = Counter(session.exec(select(DigestItemRow.digest_id)).all())
    assert set(ledger) == set(rows)
    assert set(taken) == {row.message_id for row in rows.values()}
    # Killed between the mail server's answer and the commit, a mail goes again, with the same Message-ID.
    assert len(taken) - len(rows) <= KILLS * 3, Counter(taken).most_common(3)


def check_ticks(database: Database) -> None:
    with database.read() as session:
        slots = Counter(session.exec(select(SlotRow.job).where(SlotRow.job != "rescue_jobs")).all())
        fired = Counter(session.exec(select(EventRow.noun_id).where(EventRow.noun == "tick")).all())
    assert fired == slots, "each tick exactly once"
    assert min(slots.values()) > 5


def check_queue(database: Database) -> None:
    with database.read() as session:
        assert queue.list_jobs(session, "failed") == []
        assert sum(state.done for state in queue.queue_states(session)) > 0


def logs(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.log")))
