"""Mail into a folder, for an installation that has no SMTP server set: one ``.eml`` file a message."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as default_policy
from pathlib import Path

from monitor.delivery.outcome import Deferred, Delivered, Outcome
from monitor.errors import NotFound, Refused
from monitor.texts import marked as _

_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]")
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail of the outbox, as far as a person wants to see it; ``date`` is aware UTC."""

    path: Path
    date: datetime
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    headers: list[tuple[str, str]]


class Outbox:
    """A transport into a folder. The file is named after the Message-ID: a mail sent again replaces itself.

    Args:
        folder: Made when it is first written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:  # noqa: ARG002 (Transport's signature)
        """Write the message, whole or not at all; a full disk defers it."""
        target = self._folder / _file_name(message)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_atomically(target, message)
        except OSError as error:
            return Deferred(f"{target}: {error.strerror or error}")
        return Delivered(str(target))

    def close(self) -> None:
        """Nothing is held open."""

    def list(self, limit: int | None = None) -> list[StoredMail]:
        """The mails, newest first; all, or those written last."""
        paths = sorted(self._paths(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return sorted(map(_read, paths[:limit]), key=lambda mail: (mail.date, mail.path.name), reverse=True)

    def count(self) -> int:
        """How many mails there are."""
        return sum(1 for _path in self._paths())

    def show(self, name: str) -> StoredMail:
        """One mail by its file name or the beginning of it.

        Raises:
            NotFound: No mail has this name.
            Refused: More than one mail begins so.
        """
        paths = [path for path in self._paths() if path.name.startswith(name)]
        exact = [path for path in paths if path.name == name]
        if not paths:
            raise NotFound(_("no mail in %(folder)s begins with %(name)s", folder=self._folder, name=repr(name)))
        if len(paths) > 1 and not exact:
            raise Refused(
                _(
                    "%(count)s mails in %(folder)s begin with %(name)s; write more of the name",
                    count=len(paths),
                    folder=self._folder,
                    name=repr(name),
                )
            )
        return _read((exact or paths)[0])

    def find(self, name: str) -> StoredMail:
        """One mail by its whole file name.

        Raises:
            NotFound: No mail has this name.
        """
        path = next((path for path in self._paths() if path.name == name), None)
        if path is None:
            raise NotFound(_("this mail is not in the outbox any more"))
        return _read(path)

    def _paths(self) -> Iterator[Path]:
        return self._folder.glob("*.eml")


def _file_name(message: bytes) -> str:
    headers = BytesParser(policy=default_policy).parsebytes(message, headersonly=True)
    named = _UNSAFE.sub("", str(headers["Message-ID"] or ""))
    if not named:
        raise Refused(_("a message without a Message-ID cannot be kept: nothing would tell it from its copy"))
    return f"{named[:200]}.eml"


def _write_atomically(target: Path, content: bytes) -> None:
    """Write beside the target, flush to the disk, then rename: a reader sees the old file or the new one."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read(path: Path) -> StoredMail:
    message = message_from_bytes(path.read_bytes(), policy=default_policy)
    date = message["Date"].datetime if message["Date"] else None
    return StoredMail(
        path=path,
        date=date.astimezone(UTC) if date else _EPOCH,
        sender=str(message["From"] or ""),
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        headers=[(name, str(value)) for name, value in message.items()],
    )


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()) if part else ""
