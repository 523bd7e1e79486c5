"""kill -9 at every named point of a poll and of a digest, then a restart: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import json
import os
import random
import runpy
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, func, select

from monitor.core.languages import Language
from monitor.core.schedule import Frequency, Schedule
from monitor.store.engine import Database
from monitor.store.tables import DigestItemRow, DigestRow, ItemRow, MatchRow, SourceRow
from monitor.subscriptions.subscribe import subscribe_confirmed

PROGRAM = Path(__file__).with_name("program.py")
POINTS = list(runpy.run_path(str(PROGRAM))["POINTS"])
AFTER_THE_SERVER = {"digest: taken by the server, not marked", "digest: marked as sent, not committed"}
WHILE_OTHERS_SEND = AFTER_THE_SERVER | {"digest: claimed, not rendered", "digest: rendered, not sent"}
RANDOM_RUNS = int(os.environ.get("RANDOM_KILLS", "3"))
READERS = 4
LEASES = timedelta(minutes=20)


Run = Callable[..., int]


@pytest.fixture(scope="module")
def program() -> Iterator[subprocess.Popen[str]]:
    command, pipe = [sys.executable, str(PROGRAM)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process


@pytest.fixture
def run(program: subprocess.Popen[str], environment: dict[str, str], mailbox: Any) -> Run:
    """Runs every tick at some times in a process that may be killed at a point; the exit code."""
    settings = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mailbox[1]),
        "SMTP_SECURITY": "none",
        "POLL_HOST_GAP_SECONDS": "0",
        "CONTACT": "https://monitor.example.org",
        "POSTAL_ADDRESS": "1 Example Street, Ottawa",
        "LOG_LEVEL": "error",
    }
    environment |= {f"MONITOR_{name}": value for name, value in settings.items()}

    def run_(point: str, *times: datetime) -> int:
        assert program.stdin
        assert program.stdout
        asked = {"environment": environment, "point": point, "times": [moment.isoformat() for moment in times]}
        program.stdin.write(json.dumps(asked) + "\n")
        program.stdin.flush()
        return int(program.stdout.readline())

    return run_


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_restarted(
    point: str, tmp_path: Path, run: Run, mailbox: Any, feed_url: str, prepare: Any, now: datetime
) -> None:
    received, _ = mailbox
    database = prepare(tmp_path / "data", feed_url, now)
    tomorrow = now + timedelta(days=1)

    assert run(f"1:{point}", now, tomorrow) == -signal.SIGKILL
    assert run("never", now + LEASES, tomorrow + LEASES) == 0

    assert count(database, ItemRow) == 3
    assert count(database, MatchRow) == 2
    assert count(database, DigestItemRow) == 2
    with database.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        digests = session.exec(select(DigestRow).where(DigestRow.state != "empty")).all()
        assert [digest.state for digest in digests] == ["sent"]
        assert session.exec(select(SourceRow.lease_until)).one() is None
    doubled = point in AFTER_THE_SERVER
    assert Counter(received.taken) == {digests[0].message_id: 2 if doubled else 1}
    database.close()


@pytest.mark.timeout(600)  # up to nine runs of the service
@pytest.mark.parametrize("seed", range(RANDOM_RUNS))
def test_killed_again_and_again(
    seed: int, tmp_path: Path, run: Run, mailbox: Any, feed_url: str, prepare: Any, now: datetime
) -> None:
    """Several readers, several kills at random points on their random occasions; RANDOM_KILLS=200 for more."""
    chance = random.Random(seed)
    database = prepare(tmp_path / "data", feed_url, now)
    _more_readers(database, now)
    moment, fatal = now, []
    for _ in range(chance.randint(1, 4)):
        point = chance.choice(POINTS)
        if run(f"{chance.randint(1, READERS + 1)}:{point}", moment, moment + timedelta(days=1)) == -signal.SIGKILL:
            fatal.append(point)
        moment += LEASES
    assert run("never", moment, moment + timedelta(days=1), moment + timedelta(days=1) + LEASES) == 0

    with database.read() as session:
        held = session.exec(
            select(DigestRow.subscriber_id, DigestItemRow.match_id).join(DigestItemRow).order_by(col(DigestRow.id))
        ).all()
        sent = session.exec(select(DigestRow.message_id, DigestRow.state).where(DigestRow.state != "empty")).all()
        matches = session.exec(select(MatchRow.id)).all()
    assert Counter(held) == Counter((reader, match) for reader in range(1, READERS + 2) for match in matches)
    assert {state for _, state in sent} == {"sent"}
    times = Counter(mailbox[0].taken)
    assert set(times) == {name for name, _ in sent}, "a mail that the ledger does not know, or one that is lost"
    extra = sum(times.values()) - len(times)
    # Four connections: each may have one mail in flight when the process dies, and these go again as they were.
    assert extra <= 4 * sum(point.startswith("digest: ") for point in fatal), fatal
    assert extra == 0 or WHILE_OTHERS_SEND & set(fatal), fatal
    database.close()


def _more_readers(database: Database, now: datetime) -> None:
    with database.write() as session:
        for number in range(READERS):
            subscribe_confirmed(
                session,
                f"reader{number}@example.ca",
                topics=[],
                language=Language.FR,
                schedule=Schedule(Frequency.DAILY, hour=7, zone="UTC"),
                consent={},
                actor="test",
                now=now - timedelta(days=2),
            )
