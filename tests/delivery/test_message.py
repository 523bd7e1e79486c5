"""Messages are right whatever a feed, a name or an address holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.delivery.message import Envelope, build_message, message_id
from monitor.errors import Refused
from monitor.letters import Letter

WHEN = datetime(2026, 11, 22, 13, tzinfo=UTC)
ENVELOPE = Envelope(
    sender_name="Roadmap Monitor",
    sender_address="digests@monitor.example.org",
    recipient="reader@example.ca",
    message_id=message_id(7, WHEN, "monitor.example.org"),
    date=WHEN,
    reply_to="monitor@example.org",
    list_id="digests.monitor.example.org",
    unsubscribe_url="https://monitor.example.org/u/" + "t" * 300,
    feedback_id="digest:roadmap-monitor",
)
LETTER = Letter("NORAD: 3 – week to 22 November", ("<!doctype html>", "<p>Bonjour</p>\n"), ("Bonjour\n",))
Check = Callable[[bytes], EmailMessage]

INJECTION = "Bcc: victim@example.com"
hostile = st.one_of(
    st.text(max_size=400),
    st.text(st.sampled_from("éà’“”–çœñ¿Ω中文\u00a0 "), max_size=200),
    st.text(st.sampled_from("🇨🇦🇺🇸🧑\u200d🚀❄️🛰️ "), max_size=80),
    st.text(st.sampled_from("שלום مرحبا\u202e\u2066\u200f"), max_size=120),
    st.sampled_from(["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\0"]).map(
        lambda end: f"News{end}{INJECTION}{end}{end}body"
    ),
    st.integers(1, 10_000).map("A".__mul__),
    st.integers(1, 2_000).map("é ".__mul__),
    st.integers(1, 2_000).map("continental defence ".__mul__),
    st.sampled_from(
        [
            "=?utf-8?q?Bcc=3A_x?=",
            "=?utf-8?q?a=0D=0ABcc=3A_x?=",
            "=?",
            "?=",
            '"',
            "\\",
            "<",
            ">",
            "a@b.c",
            "",
            " ",
            "\ud800",
            "=\r\n.\r\n",
        ]
    ),
)


@given(subject=hostile, name=hostile, text=hostile, html=hostile)
@settings(max_examples=150)
def test_any_content_makes_a_strict_message(
    check_message: Check, subject: str, name: str, text: str, html: str
) -> None:
    message = check_message(build_message(Letter(subject, (html,), (text,)), replace(ENVELOPE, sender_name=name)))
    assert "Bcc" not in message
    assert message["To"].addresses[0].addr_spec == "reader@example.ca"
    assert message["From"].addresses[0].addr_spec == "digests@monitor.example.org"


parts = st.lists(hostile, max_size=4)


@pytest.mark.parametrize("tail", [" ", "\t", "é", "x", "=", "x ", "é "])
def test_a_part_that_ends_where_a_line_is_full_is_broken_before(check_message: Check, tail: str) -> None:
    for length in range(60, 80):
        part = "x" * length + tail
        message = check_message(build_message(Letter("News", (part, "end"), (part, "end")), ENVELOPE))
        content = message.get_body(("plain",)).get_payload(decode=True)  # type: ignore[union-attr]  # it has one
        assert content == f"{part}end\r\n".encode()


@given(text=parts, html=parts)
@settings(max_examples=60)
def test_the_bodies_come_back_as_they_went_in(check_message: Check, text: list[str], html: list[str]) -> None:
    """But for line ends, which are the wire's, lone surrogates, which no charset has, and a line end at the end."""
    message = check_message(build_message(Letter("News", tuple(html), tuple(text)), ENVELOPE))
    for subtype, sent in (("plain", text), ("html", html)):
        part = message.get_body((subtype,))
        assert part is not None
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        normal = "".join(part.replace("\r\n", "\n").replace("\r", "\n") for part in sent)
        expected = normal.encode("utf-8", "replace").removesuffix(b"\n") + b"\n"
        assert content.replace(b"\r\n", b"\n") == expected


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=300))
@settings(max_examples=100)
def test_a_subject_in_any_script_comes_back(check_message: Check, subject: str) -> None:
    subject = " ".join(subject.split()) or "x"
    message = check_message(build_message(Letter(subject, ("<p>",), ("x",)), ENVELOPE))
    assert str(message["Subject"]) == subject


def test_the_headers_of_a_digest(check_message: Check) -> None:
    message = check_message(build_message(LETTER, ENVELOPE))
    assert {name: str(value) for name, value in message.items() if name != "Content-Type"} == {
        "From": "Roadmap Monitor <digests@monitor.example.org>",
        "To": "reader@example.ca",
        "Reply-To": "monitor@example.org",
        "Subject": "NORAD: 3 – week to 22 November",
        "Date": "Sun, 22 Nov 2026 13:00:00 +0000",
        "Message-ID": message_id(7, WHEN, "monitor.example.org"),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "List-Id": "<digests.monitor.example.org>",
        "List-Unsubscribe": f"<https://monitor.example.org/u/{'t' * 300}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "digest:roadmap-monitor",
        "MIME-Version": "1.0",
    }


def test_a_mail_of_no_subscription_has_no_list_headers(check_message: Check) -> None:
    message = check_message(build_message(LETTER, replace(ENVELOPE, list_id="", unsubscribe_url="", feedback_id="")))
    assert not [name for name in message if name.startswith(("List-", "Feedback"))]


def test_the_same_digest_is_the_same_message_byte_for_byte() -> None:
    assert build_message(LETTER, ENVELOPE) == build_message(LETTER, ENVELOPE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": "reader@example.ca\r\nBcc: victim@example.com"},
        {"recipient": "reader@example.ca, victim@example.com"},
        {"recipient": "Reader <reader@example.ca>"},
        {"recipient": "réader@example.ca"},
        {"recipient": "x" * 65 + "@example.ca"},
        {"recipient": ""},
        {"sender_address": "digests@monitor.example.org>\r\n"},
        {"reply_to": "a b@example.ca"},
        {"message_id": "<a@b>\r\nBcc: victim@example.com"},
        {"list_id": "digests\n"},
        {"unsubscribe_url": "javascript:alert(1)"},
        {"unsubscribe_url": "https://monitor.example.org/u/> <mailto:victim@example.com"},
        {"unsubscribe_url": "https://monitor.example.org/" + "u" * 1000},
    ],
)
def test_an_envelope_that_no_header_can_hold_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Refused):
        build_message(LETTER, replace(ENVELOPE, **wrong))  # type: ignore[arg-type]  # only strings are replaced


@given(st.integers(1, 10**9), st.datetimes(timezones=st.just(UTC)))
@settings(max_examples=50)
def test_a_message_id_follows_from_subscriber_and_window(subscriber: int, end: datetime) -> None:
    derived = message_id(subscriber, end, "example.org")
    assert derived == message_id(subscriber, end, "example.org")
    others = [
        message_id(subscriber + 1, end, "example.org"),
        message_id(subscriber, end + timedelta(microseconds=1), "example.org"),
        message_id(subscriber, end, "example.net"),
    ]
    assert derived not in others
    assert len(set(others)) == 3
