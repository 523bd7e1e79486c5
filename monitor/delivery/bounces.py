"""What comes back: delivery reports (RFC 3464) and complaints (RFC 5965).

Which mail a report is about is told by the signed return path in it (``verp``), and by nothing else: what stands inside
says only what happened. Whatever is no report, is about no mail of ours, or was made up, is ignored, and so are the
answers of people who are on holiday. Servers that write no reports but prose are understood by flufl.bounce.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message

from flufl.bounce import all_failures

from monitor.core.text import tidy
from monitor.delivery.verp import find_return_path

# It logs a traceback for each message that one of its patterns stumbles over, besides raising it.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)

MAX_REPORT_BYTES = 1_000_000
# Python's parser works through each level of nesting for each line: a report has three, an attack thousands.
_MOST_LEVELS = 20
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
# RFC 3463: the address does not exist (5.1.*), or the mailbox is disabled (5.2.1). Other permanent failures, such as
# a full mailbox (5.2.2) or a policy (5.7.*), pass.
_GONE = re.compile(r"5\.1\.\d+|5\.2\.1")

_SOFT_BOUNCES = 3
_SOFT_SPAN = timedelta(days=7)
_SOFT_MEMORY = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Bounced:
    """A mail did not arrive. ``hard`` says that the address is gone; otherwise it may work another time."""

    reference: str
    hard: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Complained:
    """The reader pressed "this is spam": the subscription ends."""

    reference: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing follows from this message, and why."""

    reason: str


Returned = Bounced | Complained | Ignored


def read_returned(raw: bytes, address: str, key: str) -> Returned:
    """Read a message that arrived at the address for bounces.

    Args:
        raw: The message; whatever a stranger may have sent.
        address: Where bounces are received, such as ``bounces@example.org``.
        key: The secret key of the installation.
    """
    if len(raw) > MAX_REPORT_BYTES or raw.lower().count(b"multipart/") > _MOST_LEVELS:
        return Ignored("too large for a report")
    reference = find_return_path(raw.decode("latin-1"), address, key)
    if reference is None:
        return Ignored("not about a mail of ours")
    message = message_from_bytes(raw)
    if message.get_content_type() == "multipart/report":
        return _report(message, reference)
    return _unreported(message, raw.decode("latin-1"), reference)


def _report(message: Message, reference: str) -> Returned:
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            return _complaint(part, reference)
        if part.get_content_type() == "message/delivery-status":
            return _delivery_status(part, reference)
    return Ignored("a report of another kind")


def _complaint(part: Message, reference: str) -> Returned:
    kind = re.search(r"^feedback-type:\s*(\S+)", _text(part), re.IGNORECASE | re.MULTILINE)
    if kind and kind[1].lower() in {"abuse", "opt-out", "fraud"}:
        return Complained(reference)
    return Ignored("a report that is no complaint")


def _delivery_status(part: Message, reference: str) -> Returned:
    """The first failure of a report; it is about one recipient, as each of our mails has one."""
    text = _text(part)
    if not re.search(r"^action:\s*failed", text, re.IGNORECASE | re.MULTILINE):
        return Ignored("a report of no failure")
    status = re.search(r"^status:\s*(\S+)", text, re.IGNORECASE | re.MULTILINE)
    diagnosis = re.search(r"^diagnostic-code:\s*(.+(?:\n[ \t].+)*)", text, re.IGNORECASE | re.MULTILINE)
    detail = _printable(diagnosis[1]) if diagnosis else ""
    # Some servers write 5.0.0 as the status and the true one into the diagnosis.
    codes = [match[0] for match in _STATUS.finditer(f"{status[1] if status else ''} {detail}")]
    gone = any(_GONE.fullmatch(code) for code in codes)
    return Bounced(reference, hard=gone, detail=(detail or " ".join(codes) or "failed")[:300])


def _unreported(message: Message, written: str, reference: str) -> Returned:
    """What servers write that are older than reports, or heed no standard: each has a pattern in flufl.bounce."""
    if not message["from"]:
        return Ignored("not a report")
    try:
        soft, hard = all_failures(message)
    except Exception as error:  # noqa: BLE001 (its thirty patterns meet whatever a stranger may have sent)
        return Ignored(f"cannot be read: {type(error).__name__}")
    if not soft and not hard:
        return Ignored("not a report")
    # It calls hard whatever is final, a full mailbox included: only a status of its own makes an address gone.
    codes = [found[0] for found in _STATUS.finditer(written)]
    gone = bool(hard) and any(_GONE.fullmatch(code) for code in codes)
    return Bounced(reference, hard=gone, detail=" ".join(dict.fromkeys(codes))[:300] or "a report in words")


def refused_for_good(answer: str) -> bool:
    """Whether a server's 5xx answer to RCPT says that the address is gone.

    The status (RFC 3463) decides where there is one: ``550 5.7.1`` says that our server is blocked, to all of its
    users alike. Else the code does: 550, 551 and 553 are about the mailbox, 552 is a full one (RFC 5321, 4.2.3).
    """
    status = _STATUS.search(answer)
    return bool(_GONE.fullmatch(status[0])) if status else answer.startswith(("550", "551", "553"))


def _text(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list):
        # Not as_string(): it refuses to write a header that hides another one.
        blocks = (inner for inner in payload if isinstance(inner, Message))
        return "\n".join(f"{name}: {value}" for block in blocks for name, value in block.raw_items())
    return str(payload)


def _printable(text: str) -> str:
    """A stranger's words as one line that a database can keep: bytes of no charset become question marks."""
    return tidy(text.encode("utf-8", "replace").decode())


def suppresses(bounces: Iterable[tuple[datetime, bool]], now: datetime) -> bool:
    """Whether an address should get no more mail.

    One hard bounce is enough. Soft ones are when there were three within 60 days, the first and the last of them a week
    apart or more: a mailbox that was full on one day is forgiven.

    Args:
        bounces: When each came, aware, and whether it was hard.
        now: The present, aware.
    """
    recent = [(at, hard) for at, hard in bounces if at >= now - _SOFT_MEMORY]
    if any(hard for _, hard in recent):
        return True
    times = sorted(at for at, _ in recent)
    return len(times) >= _SOFT_BOUNCES and times[-1] - times[0] >= _SOFT_SPAN
