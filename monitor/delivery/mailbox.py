"""The mailbox that undeliverable mail comes back to, read over IMAP (RFC 3501) with TLS."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from monitor.delivery.bounces import MAX_REPORT_BYTES
from monitor.errors import DeliveryDeferred

MOST_READ = 500
"""Messages that one visit reads; the others are read by the next."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where a mailbox is and who may read it.

    Attributes:
        host: The server's name; its certificate must be for this name.
        port: 993 as a rule.
        user: Whom to log in as.
        password: The password; kept out of every representation.
        folder: Such as ``INBOX``.
        timeout: Seconds to wait for each answer.
        context: The TLS context, for a private certificate authority.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    timeout: float = 30
    context: ssl.SSLContext | None = field(default=None, repr=False)


def read_mailbox(mailbox: Mailbox, take: Callable[[bytes], None]) -> int:
    """Hand over each unread message and mark it as read; it stays where it is, for people to look at.

    A message is marked after it was taken: one that a stop comes between is handed over again.

    Args:
        mailbox: Which mailbox.
        take: Gets each message, cut where it is longer than any report.

    Returns:
        How many were taken.

    Raises:
        DeliveryDeferred: The server does not answer, does not let us in, or has no such folder.
    """
    with _opened(mailbox) as server:
        found = _answer(server.uid("SEARCH", "UNSEEN"))[0] or b""  # some servers say nothing where there is none
        unread = found.split()[:MOST_READ]
        for number in unread:
            fetched = _answer(server.uid("FETCH", number.decode(), f"(BODY.PEEK[]<0.{MAX_REPORT_BYTES + 1}>)"))
            message = next((bytes(part[1]) for part in fetched if isinstance(part, tuple)), None)
            if message is not None:  # else somebody has deleted it a moment ago
                take(message)
            _answer(server.uid("STORE", number.decode(), "+FLAGS.SILENT", r"(\Seen)"))
    return len(unread)


@contextmanager
def _opened(mailbox: Mailbox) -> Iterator[imaplib.IMAP4_SSL]:
    where = f"{mailbox.host}:{mailbox.port}"
    try:
        context = mailbox.context or ssl.create_default_context()
        server = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=mailbox.timeout)
        try:
            server.login(mailbox.user, mailbox.password)
            folder = mailbox.folder.replace("\\", "\\\\").replace('"', '\\"')
            _answer(server.select(f'"{folder}"'))
            yield server
        finally:
            with suppress(imaplib.IMAP4.error, OSError):  # it is over either way
                server.logout()
    except (imaplib.IMAP4.error, OSError) as error:
        raise DeliveryDeferred(f"the mailbox at {where} cannot be read: {_words(error)}") from error


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(error) or type(error).__name__


def _answer(answered: tuple[str, list[Any]]) -> list[Any]:
    status, lines = answered
    if status != "OK":
        raise imaplib.IMAP4.error(b" ".join(line for line in lines if isinstance(line, bytes)))
    return lines
