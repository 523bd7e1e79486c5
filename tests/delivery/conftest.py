"""A strict checker of messages: the rules of RFC 5322, 2045, 2047, 2369 and 8058 that a mail of ours must keep."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

ONCE = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
}
AT_MOST_ONCE = {"Reply-To", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"}
ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[QqBb]\?[^?\s]*\?=")


def check(raw: bytes) -> EmailMessage:
    """Parse a message back, or fail with the rule that it breaks."""
    _check_lines(raw)
    message = message_from_bytes(raw, policy=SMTP)
    _check_headers(message, raw)
    _check_parts(message)
    return message


def _check_lines(raw: bytes) -> None:
    assert raw.endswith(b"\r\n"), "the message does not end with a line end"
    assert raw.isascii(), "a 7-bit message holds 8-bit bytes"
    assert b"\0" not in raw
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n"), "a bare CR or LF"
    for line in raw.split(b"\r\n"):
        assert len(line) <= 998, "a line is longer than RFC 5322 allows"
    head = raw.partition(b"\r\n\r\n")[0]
    assert not re.search(rb":[ \t]*\r\n[ \t]", head), "a header whose first line is empty"
    for line in head.split(b"\r\n"):
        assert re.match(rb"[\x21-\x39\x3b-\x7e]+: |[ \t]+\S", line), f"not a header line: {line!r}"
        words = ENCODED_WORD.findall(line)
        assert all(len(word) <= 75 for word in words), "an encoded word is longer than RFC 2047 allows"
        assert not words or len(line) <= 76, f"a line with an encoded word is longer than 76: {line!r}"


def _check_headers(message: EmailMessage, raw: bytes) -> None:
    names = message.keys()
    assert set(names) <= ONCE | AT_MOST_ONCE, f"an injected header: {set(names) - ONCE - AT_MOST_ONCE}"
    assert len(names) == len(set(names)), "a header stands twice"
    assert set(names) >= ONCE, f"missing: {ONCE - set(names)}"
    for name in names:
        assert not message[name].defects, (name, message[name].defects)
    assert re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(message["Message-ID"]))
    assert message["Date"].datetime.tzinfo is not None
    assert len(message["From"].addresses) == len(message["To"].addresses) == 1
    assert ("List-Unsubscribe" in message) == ("List-Unsubscribe-Post" in message), "RFC 8058 wants both"
    if "List-Unsubscribe" in message:
        assert re.search(rb"^List-Unsubscribe: <https?://[!-;=?-~]+>\r$", raw, re.MULTILINE)
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def _check_parts(message: EmailMessage) -> None:
    assert message.get_content_type() == "multipart/alternative"
    assert not message.defects, message.defects
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    for part in parts:
        assert not part.defects, part.defects
        assert part.get_content_charset() == "utf-8"
        encoded = part.get_payload()
        assert isinstance(encoded, str)
        for line in encoded.splitlines():
            assert len(line) <= 76, "a quoted-printable line is longer than RFC 2045 allows"
            assert not line.endswith((" ", "\t")), "a space at the end of a line, which relays may drop"


@pytest.fixture(scope="session")
def check_message() -> Callable[[bytes], EmailMessage]:
    return check
