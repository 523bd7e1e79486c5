"""What comes back is read right, and nobody can make it up (rows 52 and 53 of the faults)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.bounces import MAX_REPORT_BYTES, Bounced, Complained, Ignored, read_returned, suppresses
from monitor.delivery.verp import find_return_path, return_path

ADDRESS, KEY = "bounces@monitor.example.org", "a secret key"
PATH = return_path("d123", ADDRESS, KEY)


def report(status: str, *, to: str = PATH, action: str = "failed", diagnosis: str = "") -> bytes:
    """A delivery report as Postfix writes it."""
    diagnosis = f"Diagnostic-Code: smtp; {diagnosis}\n" if diagnosis else ""
    return f"""\
Return-Path: <>
Delivered-To: {to}
From: Mail Delivery System <MAILER-DAEMON@mx.example.ca>
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.ca

Final-Recipient: rfc822; reader@example.ca
Action: {action}
Status: {status}
{diagnosis}
--B
Content-Type: text/rfc822-headers

Subject: NORAD: 3

--B--
""".encode()


def complaint(kind: str = "abuse") -> bytes:
    """A complaint as the large mailbox providers write it: it arrives at an address of its own."""
    return f"""\
From: <feedback@mail.example.com>
To: <abuse@monitor.example.org>
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an e-mail abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1

--B
Content-Type: message/rfc822

Return-Path: <{PATH.upper()}>
Subject: NORAD: 3

--B--
""".encode()


@pytest.mark.parametrize(
    ("raw", "returned"),
    [
        pytest.param(
            report("5.1.1", diagnosis="550 5.1.1 <reader@example.ca>:\n    User unknown"),
            Bounced("d123", hard=True, detail="smtp; 550 5.1.1 <reader@example.ca>: User unknown"),
            id="unknown user",
        ),
        pytest.param(
            report("5.0.0", diagnosis="550 5.1.10 no such recipient"),
            Bounced("d123", hard=True, detail="smtp; 550 5.1.10 no such recipient"),
            id="the true status is in the diagnosis",
        ),
        pytest.param(report("5.2.1"), Bounced("d123", hard=True, detail="5.2.1"), id="disabled mailbox"),
        pytest.param(report("5.2.2"), Bounced("d123", hard=False, detail="5.2.2"), id="full mailbox"),
        pytest.param(report("5.7.1"), Bounced("d123", hard=False, detail="5.7.1"), id="policy"),
        pytest.param(report("4.4.7"), Bounced("d123", hard=False, detail="4.4.7"), id="given up"),
        pytest.param(report("nonsense"), Bounced("d123", hard=False, detail="failed"), id="no status"),
        pytest.param(report("4.4.1", action="delayed"), Ignored("a report of no failure"), id="still trying"),
        pytest.param(report("2.0.0", action="delivered"), Ignored("a report of no failure"), id="delivered"),
        pytest.param(report("5.1.1", to=PATH.upper()), Bounced("d123", hard=True, detail="5.1.1"), id="upper case"),
        pytest.param(
            report("5.1.1", to=PATH.replace("d123", "d124")), Ignored("not about a mail of ours"), id="forged"
        ),
        pytest.param(report("5.1.1", to=ADDRESS), Ignored("not about a mail of ours"), id="no signature"),
        pytest.param(
            report("5.1.1", to=return_path("d123", ADDRESS, "another key")),
            Ignored("not about a mail of ours"),
            id="signed by somebody else",
        ),
        pytest.param(complaint(), Complained("d123"), id="complaint"),
        pytest.param(complaint("not-spam"), Ignored("a report that is no complaint"), id="the opposite of one"),
        pytest.param(
            f"To: {PATH}\nAuto-Submitted: auto-replied\nSubject: I am away\n\nBack on Monday.".encode(),
            Ignored("not a report"),
            id="away",
        ),
        pytest.param(
            f"To: {PATH}\nContent-Type: multipart/report; boundary=B\n\n--B\n\nnothing\n--B--".encode(),
            Ignored("a report of another kind"),
            id="an empty report",
        ),
        pytest.param(
            report("5.1.1", diagnosis="550 5.1.1 no \x1dX-Other: é" + "y" * 90),
            Bounced("d123", hard=True, detail="smtp; 550 5.1.1 no X-Other: ??" + "y" * 90),
            id="a header that hides another one",
        ),
        pytest.param(
            report("5.1.1", diagnosis="550 no\x00 such\x1b user"),
            Bounced("d123", hard=True, detail="smtp; 550 no such user"),
            id="control characters in the diagnosis",
        ),
        pytest.param(b"", Ignored("not about a mail of ours"), id="nothing"),
        pytest.param(PATH.encode() + b"x" * MAX_REPORT_BYTES, Ignored("too large for a report"), id="a megabyte"),
    ],
)
def test_what_comes_back(raw: bytes, returned: object) -> None:
    assert read_returned(raw, ADDRESS, KEY) == returned
    assert read_returned(raw.replace(b"\n", b"\r\n"), ADDRESS, KEY) == returned


def test_a_report_in_a_thousand_layers_costs_nothing() -> None:
    nested = "".join(f"Content-Type: multipart/report; boundary=B{i}\n\n--B{i}\n" for i in range(10_000))
    start = time.thread_time()
    assert read_returned(f"To: {PATH}\n{nested}".encode(), ADDRESS, KEY) == Ignored("too large for a report")
    assert time.thread_time() - start < 1


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(head: bytes, middle: bytes) -> None:
    raw = report("5.1.1").replace(b"Reporting-MTA", middle + b"\n\n").replace(b"MIME-Version", head + b"\n")
    assert isinstance(read_returned(head + raw + middle, ADDRESS, KEY), Bounced | Complained | Ignored)


@given(st.from_regex(r"[a-z]\d{1,18}", fullmatch=True), st.text(min_size=1))
def test_a_return_path_is_short_and_comes_back(reference: str, key: str) -> None:
    path = return_path(reference, ADDRESS, key)
    assert len(path.partition("@")[0]) <= 64, "RFC 5321 allows no longer local part"
    assert find_return_path(f"<{path}>", ADDRESS, key) == reference
    assert find_return_path(path.title(), ADDRESS, key) == reference
    assert find_return_path(path, ADDRESS, key + "x") is None


NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days_ago", "hard", "suppressed"),
    [
        ([], False, False),
        ([0], True, True),
        ([0], False, False),
        ([14, 7, 0], False, True),
        ([2, 1, 0], False, False),
        ([14, 7], False, False),
        ([90, 80, 0], False, False),
        ([90], True, False),
    ],
)
def test_when_an_address_gets_no_more_mail(days_ago: list[int], *, hard: bool, suppressed: bool) -> None:
    assert suppresses([(NOW - timedelta(days=days), hard) for days in days_ago], NOW) == suppressed
