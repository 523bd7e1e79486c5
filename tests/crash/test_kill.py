"""kill -9 at every named point of a poll and of a digest, then a restart: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from monitor.store.engine import Database
from monitor.store.tables import DigestItemRow, DigestRow, ItemRow, MatchRow, SourceRow

PROGRAM = Path(__file__).with_name("program.py")
POINTS = list(runpy.run_path(str(PROGRAM))["POINTS"])
IN_FLIGHT = "digest: taken by the server, not marked"
AFTER_THE_SERVER = {IN_FLIGHT, "digest: marked as sent, not committed"}


def run(environment: dict[str, str], point: str, *times: datetime) -> int:
    command = [sys.executable, str(PROGRAM), point, *(moment.isoformat() for moment in times)]
    return subprocess.run(
        command, check=False, env=environment, cwd=Path(environment["MONITOR_DATA_DIR"]).parent, timeout=60
    ).returncode


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_restarted(
    point: str, tmp_path: Path, environment: dict[str, str], mailbox: Any, feed_url: str, prepare: Any, now: datetime
) -> None:
    received, port = mailbox
    environment |= {"MONITOR_SMTP_HOST": "127.0.0.1", "MONITOR_SMTP_PORT": str(port), "MONITOR_SMTP_SECURITY": "none"}
    environment |= {"MONITOR_POLL_HOST_GAP_SECONDS": "0", "COVERAGE_PROCESS_START": os.devnull}
    database = prepare(tmp_path / "data", feed_url, now)
    tomorrow, later = now + timedelta(days=1), timedelta(minutes=20)

    assert run(environment, point, now, tomorrow) == -signal.SIGKILL
    assert run(environment, "never", now + later, tomorrow + later) == 0

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
