"""Mail servers that accept, defer, refuse, hang up and lie: each ends in its outcome (rows 46 to 51 of the faults)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from monitor.delivery.message import Envelope, build_message, message_id
from monitor.delivery.outcome import Deferred, Delivered, Outcome, Refused
from monitor.delivery.smtp import Smtp
from monitor.letters import Letter

WHEN = datetime(2026, 11, 22, 13, tzinfo=UTC)
SENDER, READER = "bounces@example.org", "reader@example.ca"


def mail(text: str = "Bonjour") -> bytes:
    envelope = Envelope("Roadmap Monitor", SENDER, READER, message_id(1, WHEN, "example.org"), WHEN)
    return build_message(Letter("News", (f"<p>{text}</p>",), (text,)), envelope)


def send(transport: Smtp, message: bytes | None = None) -> Outcome:
    return transport.send(message or mail(), sender=SENDER, recipient=READER)


# --- a server that plays a script over a raw socket ----------------------------------------------------------

Script = dict[str, str]
"""What to answer to each verb; ``HANGUP`` closes the connection, ``DOT`` is the end of the mail."""
FRIENDLY: Script = {
    "GREETING": "220 test",
    "EHLO": "250 test",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "DOT": "250 queued as 7",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


@dataclass
class Scripted:
    script: Script
    port: int = 0
    connections: int = 0
    closed: threading.Event = field(default_factory=threading.Event)
    mails: list[bytes] = field(default_factory=list)


@contextmanager
def scripted(**answers: str) -> Iterator[Scripted]:
    state = Scripted(FRIENDLY | answers)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        state.port = listener.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(listener, state), daemon=True)
        thread.start()
        yield state
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listener: socket.socket, state: Scripted) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        state.connections += 1
        with connection, connection.makefile("rwb") as wire, suppress(ConnectionError):
            _converse(wire, state)
        state.closed.set()


def _converse(wire: Any, state: Scripted) -> None:
    verb = "GREETING"
    while True:
        answer = state.script.get(verb, "502 what?")
        if answer != "HANGUP":
            wire.write(answer.replace("\n", "\r\n").encode() + b"\r\n")
            wire.flush()
        if answer == "HANGUP" or answer.startswith(("421", "221")):
            return
        if verb == "DATA" and answer.startswith("354"):
            if state.script.get("BODY") == "HANGUP":
                wire.readline()
                return
            state.mails.append(b"".join(iter(wire.readline, b".\r\n")))
            verb = "DOT"
            continue
        line = wire.readline()
        if not line:
            return
        verb = line.split()[0].decode().upper()


def plain(server: Scripted) -> Smtp:
    return Smtp("127.0.0.1", server.port, security="none", timeout=5)


PIPELINING = {"EHLO": "250-test\n250-SIZE 10000000\n250 PIPELINING"}


@pytest.mark.parametrize("greeting", [{}, PIPELINING], ids=["one by one", "pipelined"])
@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        pytest.param({}, Delivered("queued as 7"), id="accepted"),
        pytest.param({"MAIL": "450 greylisted"}, Deferred("450 greylisted (to MAIL)"), id="greylisted at MAIL"),
        pytest.param({"RCPT": "450 greylisted"}, Deferred("450 greylisted (to RCPT)"), id="greylisted at RCPT"),
        pytest.param({"RCPT": "421 too many"}, Deferred("421 too many (to RCPT)"), id="421 closes"),
        pytest.param({"DATA": "451 later"}, Deferred("451 later (to DATA)"), id="deferred at DATA"),
        pytest.param({"DOT": "452 disk full"}, Deferred("452 disk full (to DATA)"), id="deferred after the mail"),
        pytest.param(
            {"RCPT": "550-no such\n550 user"},
            Refused("550 no such user (to RCPT)", bounced=True),
            id="unknown recipient",
        ),
        pytest.param({"MAIL": "550 policy"}, Refused("550 policy (to MAIL)", bounced=False), id="sender refused"),
        pytest.param({"DATA": "554 no"}, Refused("554 no (to DATA)", bounced=False), id="refused at DATA"),
        pytest.param({"DOT": "554 spam"}, Refused("554 spam (to DATA)", bounced=False), id="refused after the mail"),
    ],
)
def test_what_the_server_answers_decides(answers: dict[str, str], outcome: Outcome, greeting: dict[str, str]) -> None:
    with scripted(**greeting, **answers) as server, plain(server) as transport:
        assert send(transport) == outcome
        server.script = FRIENDLY | greeting
        assert isinstance(send(transport), Delivered), "the next mail goes whatever became of this one"


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"GREETING": "HANGUP"}, id="no greeting"),
        pytest.param({"GREETING": "554 go away"}, id="refused as a client: says nothing about the mail"),
        pytest.param({"GREETING": "421 busy"}, id="busy"),
        pytest.param({"GREETING": "what is this?"}, id="not SMTP"),
        pytest.param({"EHLO": "HANGUP"}, id="dropped at EHLO"),
        pytest.param({"MAIL": "HANGUP"}, id="dropped at MAIL"),
        pytest.param({"RCPT": "HANGUP"}, id="dropped at RCPT"),
        pytest.param({"BODY": "HANGUP"}, id="dropped in mid-DATA"),
        pytest.param({"DOT": "HANGUP"}, id="dropped after the final dot"),
    ],
)
@pytest.mark.parametrize("greeting", [{}, PIPELINING], ids=["one by one", "pipelined"])
def test_trouble_with_the_connection_defers(answers: dict[str, str], greeting: dict[str, str]) -> None:
    with scripted(**(greeting | answers)) as server, plain(server) as transport:
        outcome = send(transport, mail("x" * 200_000))
    assert isinstance(outcome, Deferred)
    assert f"127.0.0.1:{server.port}" in outcome.detail


def test_a_server_that_takes_a_mail_for_nobody_gets_none() -> None:
    """Pipelined, DATA has been said before RCPT is answered; an empty mail ends it."""
    with scripted(RCPT="550 no", **PIPELINING) as server, plain(server) as transport:
        assert send(transport) == Refused("550 no (to RCPT)", bounced=True)
    assert server.mails == [b""]


@pytest.mark.parametrize("address", ["a@b.org>\r\nRCPT TO:<c@d.org", "a@b.org\nDATA"])
def test_an_address_cannot_hold_a_command(address: str) -> None:
    with scripted() as server, plain(server) as transport, pytest.raises(ValueError, match="line break"):
        transport.send(mail(), sender=SENDER, recipient=address)


def test_a_digest_lost_after_the_final_dot_comes_again_with_the_same_message_id() -> None:
    with scripted(DOT="HANGUP") as server, plain(server) as transport:
        send(transport)
        server.script = FRIENDLY
        assert isinstance(send(transport), Delivered)
    assert len(server.mails) == 2
    assert server.mails[0] == server.mails[1]


def test_one_connection_carries_many_mails() -> None:
    with scripted() as server, plain(server) as transport:
        assert all(isinstance(send(transport), Delivered) for _ in range(20))
    assert server.connections == 1
    assert len(server.mails) == 20


def test_a_kept_connection_that_the_server_closed_is_opened_anew() -> None:
    with scripted() as server, plain(server) as transport:
        send(transport)
        server.script = FRIENDLY | {"NOOP": "421 idle for too long"}
        assert transport._server is not None
        assert transport._server.noop()[0] == 421  # the server closes on its side
        assert server.closed.wait(5)
        server.script = FRIENDLY
        assert isinstance(send(transport), Delivered)
    assert server.connections == 2


def test_a_server_that_is_not_there_defers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    outcome = send(Smtp("127.0.0.1", port, security="none", timeout=2))
    assert isinstance(outcome, Deferred)
    assert "refused" in outcome.detail


def test_a_server_that_says_nothing_defers_within_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = send(Smtp("127.0.0.1", silent.getsockname()[1], security="none", timeout=0.3))
    assert isinstance(outcome, Deferred)
    assert "timed out" in outcome.detail


# --- a real server, with TLS ---------------------------------------------------------------------------------


class Inbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.secured: list[bool] = []

    async def handle_DATA(self, server: object, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.mails.append(envelope.content)
        self.secured.append(session.ssl is not None)
        return "250 taken"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Inbox, int]]]:
    running = []

    def start(**options: Any) -> tuple[Inbox, int]:
        inbox = Inbox()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return inbox, port

    yield start
    for controller in running:
        controller.stop()


Serve = Callable[..., tuple[Inbox, int]]


def test_dots_and_long_text_arrive_unchanged(serve: Serve) -> None:
    inbox, port = serve()
    sent = mail("a line\n.\n..\n.hidden\nfrom here\n" + "é" * 5000)
    with Smtp("127.0.0.1", port, security="none", timeout=5) as transport:
        assert isinstance(send(transport, sent), Delivered)
    assert inbox.mails == [sent]


def test_starttls(serve: Serve, authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    inbox, port = serve(tls_context=server_context(authority, "localhost"), require_starttls=True)
    with Smtp("localhost", port, security="starttls", timeout=5, context=trusting) as transport:
        assert [type(send(transport)) for _ in range(3)] == [Delivered] * 3
    assert inbox.secured == [True] * 3


def test_starttls_that_is_stripped_is_refused(serve: Serve, trusting: ssl.SSLContext) -> None:
    """Somebody on the line hides the offer; nothing is said of the mail."""
    inbox, port = serve()
    outcome = send(Smtp("localhost", port, security="starttls", timeout=5, context=trusting))
    assert isinstance(outcome, Deferred)
    assert "STARTTLS" in outcome.detail
    assert inbox.mails == []


@pytest.mark.parametrize("trusted", [pytest.param(True, id="wrong name"), pytest.param(False, id="unknown authority")])
def test_a_bad_certificate_is_refused(
    serve: Serve, authority: trustme.CA, trusting: ssl.SSLContext, *, trusted: bool
) -> None:
    name = "elsewhere.example" if trusted else "localhost"
    inbox, port = serve(tls_context=server_context(authority, name))
    context = trusting if trusted else None
    outcome = send(Smtp("localhost", port, security="starttls", timeout=5, context=context))
    assert isinstance(outcome, Deferred)
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.detail
    assert inbox.mails == []


def test_login(serve: Serve, authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    def check(server: object, session: object, envelope: object, mechanism: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (b"us", b"secret"), handled=False)

    inbox, port = serve(tls_context=server_context(authority, "localhost"), authenticator=check, auth_required=True)
    login = {"security": "starttls", "timeout": 5, "context": trusting, "user": "us"}
    with Smtp("localhost", port, password="secret", **login) as transport:  # type: ignore[arg-type]  # the options' types differ
        assert isinstance(send(transport), Delivered)
    outcome = send(Smtp("localhost", port, password="wrong", **login))  # type: ignore[arg-type]  # as above
    assert isinstance(outcome, Deferred), "a wrong password says nothing about the mail"
    assert outcome.detail.endswith("535 5.7.8 Authentication credentials invalid")
    assert "wrong" not in outcome.detail
    assert len(inbox.mails) == 1
