"""Mail to an SMTP server, over a connection that is kept for the next mail."""

from __future__ import annotations

import re
import select
import smtplib
import ssl
from contextlib import suppress
from functools import cache
from typing import Literal, Self

from monitor.delivery.outcome import Deferred, Delivered, Outcome, Refused

Security = Literal["starttls", "tls", "none"]

_MAX_ANSWER = 400
_LINE_BREAKS = re.compile("[\r\n]")


class Smtp:
    """A transport to one SMTP server; not for use by several threads at once.

    Trouble with the server itself (no connection, no TLS, wrong password) defers a mail, as it says nothing about
    the mail; what the server answers about sender, recipient or content decides.

    Args:
        host: The server's name; with TLS its certificate must be for this name.
        port: 587 for ``starttls`` as a rule, 465 for ``tls``, 25 for ``none``.
        user: The user to log in as, or empty for no login.
        password: The user's password.
        security: ``starttls`` refuses to go on in the clear where the server does not offer it; ``none`` sends in
            the clear, for a relay on the same machine.
        timeout: Seconds to wait for each answer.
        context: The TLS context, for a private certificate authority.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str = "",
        password: str = "",
        security: Security = "starttls",
        timeout: float = 30,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._user, self._password, self._security = user, password, security
        self._context = context
        self._server: smtplib.SMTP | None = None

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Make one attempt, over the kept connection if it is still open."""
        try:
            server = self._open()
        except (smtplib.SMTPException, OSError) as error:
            return Deferred(f"{self._host}:{self._port}: {_describe(error)}", unreachable=True)
        try:
            return _transaction(server, message, sender, recipient)
        except (smtplib.SMTPException, OSError) as error:
            # The server may have taken the mail and lost the line before it could say so: the next attempt carries
            # the same Message-ID.
            self._drop()
            return Deferred(f"{self._host}:{self._port}: {_describe(error)}")

    def problem(self) -> str | None:
        """Connect and log in without sending anything; what goes wrong, in plain words, or None."""
        try:
            self._open()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return f"{self._host}:{self._port}: {_describe(error)}"
        self.close()
        return None

    def close(self) -> None:
        """Say goodbye and close the connection."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):  # it is over either way
                self._server.quit()
        self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> smtplib.SMTP:
        if self._server is not None and _has_spoken(self._server):
            self._drop()
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        if self._security == "tls":
            context = self._context or _public_authorities()
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            if self._security == "starttls":
                server.starttls(context=self._context or _public_authorities())
            server.ehlo_or_helo_if_needed()
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


@cache
def _public_authorities() -> ssl.SSLContext:
    """The TLS context of all connections: to read the system's trusted authorities takes 80 ms."""
    return ssl.create_default_context()


def _has_spoken(server: smtplib.SMTP) -> bool:
    """Whether an idle server has said something unasked: a goodbye (421), or the end of the connection."""
    if server.sock is None:
        return True
    readable, _, _ = select.select([server.sock], [], [], 0)
    return bool(readable)


def _transaction(server: smtplib.SMTP, message: bytes, sender: str, recipient: str) -> Outcome:
    size = f" SIZE={len(message)}" if server.has_extn("size") else ""
    commands = [f"MAIL FROM:<{sender}>{size}", f"RCPT TO:<{recipient}>", "DATA"]
    if _LINE_BREAKS.search("".join(commands)):
        raise ValueError("an address of the envelope holds a line break")
    # With PIPELINING (RFC 2920) the three make one journey; over a line of 40 ms that halves the time of a mail.
    groups = [commands] if server.has_extn("pipelining") else [[command] for command in commands]
    for group in groups:
        refused = _first_refusal(server, group)
        if refused:
            return _refusal(server, *refused)
    server.send(_dotted(message))
    code, answer = server.getreply()
    return Delivered(_readable(answer)) if code // 100 == 2 else _refusal(server, "DATA", code, answer)


def _dotted(message: bytes) -> bytes:
    """The message with its end, and with each dot doubled that begins a line (RFC 5321, 4.5.2)."""
    # To look first takes a third of the time, and a regular expression twenty times as long over the lines of a digest.
    stuffed = message.replace(b"\r\n.", b"\r\n..") if b"\r\n." in message else message
    return b"".join((b"." if message.startswith(b".") else b"", stuffed, b".\r\n"))


def _first_refusal(server: smtplib.SMTP, commands: list[str]) -> tuple[str, int, bytes] | None:
    server.send("".join(f"{command}\r\n" for command in commands))
    refused = None
    for command in commands:
        verb = command[:4]
        code, answer = server.getreply()
        if refused and code == 354:  # it takes a mail for nobody: send it none
            server.send(b".\r\n")
            server.getreply()
        elif not refused and code // 100 != (3 if verb == "DATA" else 2):
            refused = verb, code, answer
        if code == 421:
            break
    return refused


def _refusal(server: smtplib.SMTP, command: str, code: int, answer: bytes) -> Outcome:
    detail = f"{code} {_readable(answer)} (to {command})"
    if code == 421:  # the server closes the connection
        server.close()
    else:
        server.rset()
    if 500 <= code < 600:
        return Refused(detail, bounced=command == "RCPT")
    return Deferred(detail)


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_readable(_bytes(error.smtp_error))}"
    return f"{type(error).__name__}: {error}"


def _bytes(answer: str | bytes) -> bytes:
    return answer.encode() if isinstance(answer, str) else answer


def _readable(answer: bytes) -> str:
    """A server's answer as one line that is safe in a log."""
    return " ".join(answer.decode("utf-8", "backslashreplace").split())[:_MAX_ANSWER]
