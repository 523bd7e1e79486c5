"""A letter in its envelope becomes the bytes of a MIME message (RFC 5322, 2045, 2369, 8058).

The standard library's ``EmailMessage`` takes 3.2 ms a message, most of it for encoding text that a thousand other
messages of the hour hold too. Here each part of a letter is encoded once; what is left is joining them. The tests hold
the result against the rules, and have the standard library read it back.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, formataddr
from functools import lru_cache
from typing import Protocol

from monitor.errors import Refused
from monitor.texts import marked as _

_MAX_LINE = 998  # RFC 5322, 2.1.1; a header that holds an address may not be folded inside it
_MAX_TEXT_LINE = 76  # RFC 2047, 2: a line that holds an encoded word
_WORD_BYTES = 45  # 60 characters in base64, 72 as an encoded word, of which RFC 2047 allows 75
_MAX_SUBJECT = 400
_MAX_NAME = 80
_PARTS_KEPT = 4096
_TWO_LINES = 150
_FULL = 75  # characters of a line before its soft break (RFC 2045, 6.7)
_SOFT_BREAK = b"=\r\n"
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LINE_ENDS = re.compile("\r\n|\r|\n")
_PLAIN = re.compile(r"[\x20-\x7e]*")
# b2a_qp writes a space at the end of a full line as "=20" beyond the 76 characters of RFC 2045, 6.7.
_OVERLONG = re.compile(rb"^([^\r\n]{74,75})=(20|09)\r\n", re.MULTILINE)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


_HEADER_URL = re.compile(r"https?://[^<> ,]*")
# What quoted-printable writes as it is, wherever it stands.
_AS_IT_IS = re.compile(r"[ -<>-~]*[!-<>-~]")


class Rendered(Protocol):
    """A letter: one line of subject, and the same content as HTML and as plain text, each in parts to be joined."""

    @property
    def subject(self) -> str:
        """The subject, in any script."""
        ...

    @property
    def html_parts(self) -> tuple[str, ...]:
        """A whole HTML document."""
        ...

    @property
    def text_parts(self) -> tuple[str, ...]:
        """The plain text."""
        ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whom a message is from and for, and how it may be stopped.

    Attributes:
        sender_name: Shown beside the sender's address; any script.
        sender_address: The From address.
        recipient: The To address.
        message_id: With its angle brackets, as ``message_id`` makes it.
        date: When the digest was built, aware.
        reply_to: Where answers go, or empty for the From address.
        list_id: A name for filters, such as ``digests.monitor.example.org``; empty for mails that are of no list.
        unsubscribe_url: Takes a one-click POST (RFC 8058); empty for mails that belong to no subscription.
        feedback_id: For the complaint reports of mailbox providers, such as ``digest:roadmap-monitor``.
    """

    sender_name: str
    sender_address: str
    recipient: str
    message_id: str
    date: datetime
    reply_to: str = ""
    list_id: str = ""
    unsubscribe_url: str = ""
    feedback_id: str = ""


def message_id(subscriber_id: int, window_end: datetime, domain: str) -> str:
    """The Message-ID of a digest, the same however often it is built: who sends twice is seen to have sent once.

    Args:
        subscriber_id: The subscriber.
        window_end: The end of the digest's window, aware.
        domain: The domain of the installation.
    """
    end = window_end.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    digest = hashlib.sha256(f"{subscriber_id}/{end}/{domain}".encode()).hexdigest()[:24]
    return f"<digest.{end[:13]}.{digest}@{domain}>"


def build_message(letter: Rendered, envelope: Envelope) -> bytes:
    """The message as it goes over the wire: multipart/alternative, 7-bit, with CR LF line ends.

    Raises:
        Refused: An address or a URL of the envelope cannot be written into a header.
    """
    # "=_" cannot occur in quoted-printable text, so no body can hold the boundary.
    boundary = f"=_{hashlib.sha256(envelope.message_id.encode()).hexdigest()[:32]}"
    headers = [
        _shared_headers(envelope.sender_name, envelope.sender_address, envelope.reply_to, envelope.date),
        _list_headers(envelope.list_id, envelope.feedback_id),
        *_own_headers(envelope),
        _text_header("Subject", letter.subject[:_MAX_SUBJECT]),
        f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n',
    ]
    chunks = ["".join(headers).encode("ascii")]
    for subtype, parts in (("plain", letter.text_parts), ("html", letter.html_parts)):
        chunks += _body(subtype, parts, boundary)
    chunks.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    return b"".join(chunks)


@lru_cache(maxsize=256)
def _shared_headers(name: str, address: str, reply_to: str, date: datetime) -> str:
    """What the mails of an hour have in common."""
    headers = [
        _mailbox_header("From", name, address),
        _plain_header("Date", format_datetime(date.astimezone(UTC))),
        _plain_header("Auto-Submitted", "auto-generated"),  # RFC 3834: nobody answers this by machine
        _plain_header("X-Auto-Response-Suppress", "OOF, AutoReply"),  # Exchange reads this one instead
    ]
    if reply_to:
        headers.append(_plain_header("Reply-To", _checked_address(reply_to)))
    return "".join(headers)


@lru_cache(maxsize=256)
def _list_headers(list_id: str, feedback_id: str) -> str:
    headers = []
    if list_id:
        headers.append(_plain_header("List-Id", f"<{list_id}>"))
    if feedback_id:
        headers.append(_plain_header("Feedback-ID", feedback_id))
    return "".join(headers)


def _own_headers(envelope: Envelope) -> list[str]:
    headers = [
        _plain_header("To", _checked_address(envelope.recipient)),
        _plain_header("Message-ID", envelope.message_id),
    ]
    if url := envelope.unsubscribe_url:
        headers.append(_plain_header("List-Unsubscribe", f"<{_checked_url(url)}>"))
        headers.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    return headers


def _text_header(name: str, value: str) -> str:
    """A header with free text, folded at 76 columns and as encoded words (RFC 2047) where it must be."""
    return f"{name}: {_encoded(name, _one_line(value))}\r\n"


def _encoded(name: str, text: str) -> str:
    if _is_plain(text) and len(name) + len(text) + 2 <= _MAX_TEXT_LINE:
        return text
    words, room = [], _WORD_BYTES - len(name)  # the first line holds the header's name as well
    while text:
        size = len(text.encode()[:room].decode(errors="ignore"))
        words.append(f"=?utf-8?b?{b64encode(text[:size].encode()).decode()}?=")
        text, room = text[size:], _WORD_BYTES
    return "\r\n ".join(words)


def _is_plain(text: str) -> bool:
    """Whether text can stand in a header as it is; "=?" would be read as the start of an encoded word."""
    return _PLAIN.fullmatch(text) is not None and "=?" not in text


def _mailbox_header(name: str, display_name: str, address: str) -> str:
    display_name, address = _one_line(display_name)[:_MAX_NAME], _checked_address(address)
    if _is_plain(display_name):
        return _plain_header(name, formataddr((display_name, address)))
    return f"{name}: {_encoded(name, display_name)}\r\n <{address}>\r\n"


def _one_line(text: str) -> str:
    return " ".join(_BREAKS.sub(" ", text).split())


def _plain_header(name: str, value: str) -> str:
    """A header whose value is for machines: it is written as it is, or not at all."""
    line = f"{name}: {value}"
    if not _PLAIN.fullmatch(value) or len(line) > _MAX_LINE:
        raise Refused(_("%(name)s cannot be written: %(value)s", name=name, value=repr(value[:80])))
    return line + "\r\n"


def _checked_address(address: str) -> str:
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise Refused(_("%(address)s is not an address that mail can be sent to", address=repr(address[:80])))
    return address


def _checked_url(url: str) -> str:
    if not _HEADER_URL.fullmatch(url):
        raise Refused(_("%(url)s is not an address that a header can hold", url=repr(url[:80])))
    return url


def _body(subtype: str, parts: tuple[str, ...], boundary: str) -> list[bytes]:
    head = (
        f"\r\n--{boundary}\r\n"
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    encoded = [_address(part) if part.startswith("http") else _quoted_printable(part) for part in parts if part]
    encoded = encoded or [b""]
    # A soft break at the very end would swallow the line end that the boundary needs.
    encoded[-1] = encoded[-1].removesuffix(_SOFT_BREAK).removesuffix(b"\r\n") + b"\r\n"
    return [head.encode("ascii"), *encoded]


def _address(part: str) -> bytes:
    """A reader's own address is sooner written than looked up, and nobody asks for it again."""
    if len(part) <= _TWO_LINES and _AS_IT_IS.fullmatch(part):
        first, rest = part[:_FULL], part[_FULL:]
        return f"{first}=\r\n{rest}=\r\n".encode("ascii") if rest else f"{first}=\r\n".encode("ascii")
    return _quoted_printable(part)


@lru_cache(maxsize=_PARTS_KEPT)
def _quoted_printable(part: str) -> bytes:
    """A part so encoded that it may stand before any other: it ends at a line end, or else in a soft break."""
    lines = _LINE_ENDS.sub("\r\n", part)
    ends_line = lines.endswith("\r\n")
    # b2a_qp takes the line end of its soft breaks from the text, so there must be one in it.
    encoded = b2a_qp((lines if ends_line else lines + "\r\n").encode("utf-8", "replace"))
    encoded = _OVERLONG.sub(rb"\1=\r\n=\2\r\n", encoded)
    return encoded if ends_line else _softly_ended(encoded.removesuffix(b"\r\n"))


def _softly_ended(encoded: bytes) -> bytes:
    """Encoded text with a soft break at its end, which makes a line that is full already too long by one."""
    if len(encoded) - encoded.rfind(b"\n") - 1 <= _MAX_TEXT_LINE - 1:
        return encoded + _SOFT_BREAK
    last = 3 if encoded[-3:-2] == b"=" else 1
    return encoded[:-last] + _SOFT_BREAK + encoded[-last:] + _SOFT_BREAK
