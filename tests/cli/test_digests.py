"""`monitor digest`: what an operator sees and does, on an installation of two readers in one process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from monitor.core.languages import Language
from monitor.core.nouns import Entry
from monitor.core.schedule import Frequency, Schedule
from monitor.delivery.outbox import Outbox
from monitor.settings import load_settings
from monitor.store import items, sources
from monitor.store.engine import Database
from monitor.store.live_watchlist import LiveWatchlist
from monitor.store.matches import Found, save_matches
from monitor.store.tables import DigestRow
from monitor.subscriptions.subscribe import subscribe_confirmed

Run = Callable[..., subprocess.CompletedProcess[str]]
URL = "https://news.example/norad"


@pytest.fixture
def database(installed: Path) -> Iterator[Database]:
    """One item about NORAD from yesterday, and two readers of everything whose daily digests are due."""
    now = datetime.now(UTC)
    database = Database(load_settings().database)
    with database.write() as session:
        (source, *_) = sources.list_sources(session)
        title = "Ministers announce NORAD modernization and new Arctic radar sites"
        items.insert_entries(session, source.id or 0, "en", [Entry("1", URL, title)], now - timedelta(hours=20))
        matcher = LiveWatchlist().matcher(session)
        for stored in items.load_documents(session, items.unmatched_ids(session, limit=10)):
            found = Found(stored.item_id, stored.revision, matcher.match(stored.document))
            save_matches(session, [found], watchlist_version="1", now=now)
        for name in ("one", "two"):
            subscribe_confirmed(
                session,
                f"{name}@example.org",
                topics=[],
                language=Language.EN,
                schedule=Schedule(Frequency.DAILY, hour=now.hour, zone="UTC"),
                consent={},
                actor="test",
                now=now - timedelta(days=1, hours=1),
            )
    yield database
    database.close()


@pytest.fixture
def listed(monitor: Run) -> Callable[..., Any]:
    return lambda *arguments: json.loads(monitor(*arguments, "--json").stdout)


def mails() -> list[Any]:
    return Outbox(load_settings().outbox_dir).list()


def test_an_operator_looks_sends_and_sends_again(database: Database, monitor: Run, listed: Callable[..., Any]) -> None:
    due = listed("digest", "send", "--dry-run")
    assert [row["address"] for row in due] == ["one@example.org", "two@example.org"]
    assert all("NORAD" in row["subject"] for row in due)
    assert mails() == []

    monitor("digest", "pause")
    assert "paused" in monitor("digest", "send").stderr
    monitor("digest", "resume")
    assert "2 sent, 0 not" in monitor("digest", "send").stdout
    first = {mail.path.name: mail.recipient for mail in mails()}
    assert sorted(first.values()) == ["one@example.org", "two@example.org"]
    assert {row["reason"] for row in listed("digest", "why", "one@example.org", URL)} == {"sent"}
    assert "Nothing is due" in monitor("digest", "send", "--dry-run").stdout

    with database.write() as session:
        session.connection().execute(update(DigestRow).where(col(DigestRow.subscriber_id) == 1).values(state="failed"))
    assert [row["state"] for row in listed("digest", "list", "--state", "failed")] == ["failed"]
    assert "1 sent, 0 not" in monitor("digest", "resend", "--failed").stdout
    assert "1 sent, 0 not" in monitor("digest", "resend", "2").stdout
    assert {mail.path.name: mail.recipient for mail in mails()} == first, "the same Message-IDs"


def test_a_test_goes_to_oneself_and_lets_nobody_act_for_the_reader(database: Database, monitor: Run) -> None:
    assert "Taken" in monitor("digest", "test", "me@example.org", "--like", "one@example.org").stdout
    assert "Taken" in monitor("digest", "test", "me@example.org", "--language", "fr").stdout
    assert {mail.recipient for mail in mails()} == {"me@example.org"}
    like = next(mail for mail in mails() if "NORAD modernization" in mail.text and "radar sites" in mail.text)
    assert "/unsubscribe/" not in like.html + like.text
    with database.read() as session:
        assert session.get(DigestRow, 1) is None


@pytest.mark.parametrize(
    "arguments", [("resend",), ("resend", "1", "--failed"), ("resend", "99"), ("why", "x@y.org", "1")]
)
def test_what_cannot_be_done_is_said(database: Database, monitor: Run, arguments: tuple[str, ...]) -> None:
    refused = monitor("digest", *arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("monitor: ")
