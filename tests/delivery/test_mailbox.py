"""The mailbox for bounces, read over IMAP with TLS from a small server that speaks the handful of commands."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
import trustme

from monitor.delivery.bounces import MAX_REPORT_BYTES
from monitor.delivery.mailbox import Mailbox, read_mailbox
from monitor.errors import DeliveryDeferred


@dataclass
class Server:
    """An IMAP server with one folder: the messages, and which of them were read."""

    mailbox: Mailbox
    messages: list[bytes]
    seen: set[int] = field(default_factory=set)
    silent: bool = False

    def answer(self, command: str, rest: str) -> tuple[bytes, str]:
        """The untagged lines and the tagged answer to a command."""
        match command:
            case "CAPABILITY":
                return b"* CAPABILITY IMAP4rev1\r\n", "OK done"
            case "LOGIN":
                return b"", "OK done" if rest == 'bounces "secret"' else "NO [AUTHENTICATIONFAILED] wrong password"
            case "SELECT":
                return (
                    f"* {len(self.messages)} EXISTS\r\n".encode(),
                    "OK done" if rest == '"INBOX"' else "NO no such folder",
                )
            case "UID":
                return self._uid(*rest.split(" ", 2))
        return b"", "OK done"

    def _uid(self, command: str, number: str, rest: str = "") -> tuple[bytes, str]:
        if command == "SEARCH":
            unread = [str(n) for n in range(1, len(self.messages) + 1) if n not in self.seen]
            return f"* SEARCH {' '.join(unread)}\r\n".encode() if unread or not self.silent else b"", "OK done"
        if command == "FETCH":
            most = re.search(r"<0\.(\d+)>", rest)
            assert most
            raw = self.messages[int(number) - 1][: int(most[1])]
            head = f"* {number} FETCH (UID {number} BODY[]<0> {{{len(raw)}}}\r\n"
            return head.encode() + raw + b")\r\n", "OK done"
        assert (command, rest) == ("STORE", r"+FLAGS.SILENT (\Seen)")
        self.seen.add(int(number))
        return b"", "OK done"


@pytest.fixture
def server() -> Iterator[Server]:
    server: Server
    authority = trustme.CA()
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(theirs)
    authority.configure_trust(ours)

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            self.request = theirs.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                tag, command, *rest = line.decode().strip().split(" ", 2)
                untagged, tagged = server.answer(command.upper(), *rest or [""])
                self.wfile.write(untagged + f"{tag} {tagged}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        listening.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is expected
        mailbox = Mailbox("localhost", listening.server_address[1], "bounces", "secret", timeout=5, context=ours)
        server = Server(mailbox, [b"To: one\r\n\r\n1", b"x" * (2 * MAX_REPORT_BYTES)])
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        listening.shutdown()


def test_each_message_is_handed_over_once_and_cut_where_it_is_too_long(server: Server) -> None:
    taken: list[bytes] = []
    assert read_mailbox(server.mailbox, taken.append) == 2
    assert read_mailbox(server.mailbox, taken.append) == 0
    assert [len(message) for message in taken] == [12, MAX_REPORT_BYTES + 1]
    assert "secret" not in repr(server.mailbox)


def test_a_server_that_says_nothing_of_no_message_has_none(server: Server) -> None:
    server.silent, server.seen = True, {1, 2}
    taken: list[bytes] = []
    assert read_mailbox(server.mailbox, taken.append) == 0
    assert taken == []


def test_a_message_that_was_not_taken_is_handed_over_again(server: Server) -> None:
    def fail(_message: bytes) -> None:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError, match="away"):
        read_mailbox(server.mailbox, fail)
    assert server.seen == set()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "guess"}, "wrong password"),
        ({"folder": 'a"b'}, "no such folder"),
        ({"context": None}, "CERTIFICATE_VERIFY_FAILED"),
        ({"port": 1}, "refused"),
    ],
)
def test_a_mailbox_that_cannot_be_read_is_tried_later(server: Server, wrong: dict[str, str], says: str) -> None:
    with pytest.raises(DeliveryDeferred, match=says):
        read_mailbox(replace(server.mailbox, **wrong), lambda _: None)  # type: ignore[arg-type]
    assert server.seen == set()
