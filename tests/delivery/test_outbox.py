"""The outbox folder: whole files, one a message, however often it is sent."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.delivery.message import Envelope, build_message, message_id
from monitor.delivery.outbox import Outbox
from monitor.delivery.outcome import Deferred, Delivered
from monitor.errors import NotFound, Refused
from monitor.letters import Letter

WHEN = datetime(2026, 11, 22, 13, tzinfo=UTC)


def mail(subscriber: int = 1, *, when: datetime = WHEN, subject: str = "Méthane : 1") -> bytes:
    envelope = Envelope(
        sender_name="Roadmap Monitor",
        sender_address="digests@example.org",
        recipient=f"reader{subscriber}@example.ca",
        message_id=message_id(subscriber, when, "example.org"),
        date=when,
    )
    return build_message(Letter(subject, ("<p>Été</p>",), ("Été",)), envelope)


def send(outbox: Outbox, message: bytes) -> object:
    return outbox.send(message, sender="bounces@example.org", recipient="reader@example.ca")


def test_a_mail_is_listed_and_shown(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "made" / "on demand")
    assert outbox.list() == []
    assert isinstance(send(outbox, mail()), Delivered)
    [stored] = outbox.list()
    assert stored == outbox.show(stored.path.name) == outbox.show("digest.20261122T1300")
    assert (stored.date, stored.recipient, stored.subject) == (WHEN, "reader1@example.ca", "Méthane : 1")
    assert stored.sender == "Roadmap Monitor <digests@example.org>"
    assert stored.text.strip() == "Été"
    assert stored.html.strip() == "<p>Été</p>"
    assert stored.path.read_bytes() == mail()


def test_newest_first(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for days in (1, 3, 2):
        send(outbox, mail(when=WHEN + timedelta(days=days)))
    assert [stored.date.day for stored in outbox.list()] == [25, 24, 23]


def test_of_many_only_those_written_last_are_read(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for days in range(4):
        send(outbox, mail(when=WHEN + timedelta(days=days)))
    (tmp_path / "0-old.eml").write_bytes(b"no mail")
    os.utime(tmp_path / "0-old.eml", (0, 0))
    assert [stored.date.day for stored in outbox.list(2)] == [25, 24]
    assert outbox.count() == 5


def test_a_digest_sent_again_replaces_itself(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    send(outbox, mail(subject="first"))
    send(outbox, mail(subject="second"))
    assert [stored.subject for stored in outbox.list()] == ["second"]
    assert len(list(tmp_path.iterdir())) == 1, "no part of a file is left behind"


def test_a_name_must_be_known_and_lead_to_one_mail(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    send(outbox, mail(1))
    send(outbox, mail(2))
    with pytest.raises(NotFound, match="'absent'"):
        outbox.show("absent")
    with pytest.raises(Refused, match="2 mails"):
        outbox.show("digest.")


def test_a_message_id_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    send(outbox, mail().replace(b"Message-ID: <digest", b"Message-ID: <../../digest"))
    assert [path.parent for path in tmp_path.rglob("*.eml")] == [tmp_path / "outbox"]


def test_a_message_without_an_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Message-ID"):
        send(Outbox(tmp_path), mail().replace(b"Message-ID", b"X-Nothing"))


def test_a_folder_that_cannot_be_written_defers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = send(Outbox(tmp_path / "file" / "outbox"), mail())
    assert isinstance(outcome, Deferred)
    assert "Not a directory" in outcome.detail


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = send(Outbox(tmp_path), mail())
    assert isinstance(outcome, Deferred)
    assert "No space left" in outcome.detail
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_mail_of_ours_is_still_listed(tmp_path: Path) -> None:
    (tmp_path / "foreign.eml").write_bytes(b"Subject: no date\r\n\r\nhello")
    [stored] = Outbox(tmp_path).list()
    assert replace(stored, path=Path()) == replace(
        stored, path=Path(), subject="no date", sender="", recipient="", date=datetime.fromtimestamp(0, UTC)
    )
