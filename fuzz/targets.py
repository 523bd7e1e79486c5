"""What the fuzzers call: a stranger's bytes go in, and what must hold of them whatever they are is asserted.

A fuzzer looks for bytes at which one of these raises. Each is also run on its seeds, and on a few hundred random
changes of them, by tests/fuzz/test_targets.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.delivery.bounces import Bounced, Complained, Ignored, read_returned
from monitor.delivery.verp import return_path
from monitor.errors import QueryError
from monitor.matching.query import MAX_LENGTH, parse_query
from monitor.polling.parse import NotAFeed, ParsedFeed, parse_feed

_SEEDS = Path(__file__).parent / "seeds"
_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_URL = "https://agency.example.org/news/feed.xml"
_BOUNCES, _KEY = "bounces@example.org", "a key for fuzzing"
_SLOWEST = 5.0
"""Seconds that no input may take; a fuzzer's instrumentation slows Python about tenfold."""


@contextmanager
def _soon() -> Iterator[None]:
    start = time.process_time()
    yield
    taken = time.process_time() - start
    assert taken < _SLOWEST, f"it took {taken:.1f} s"


def read_feed(data: bytes) -> None:
    """A feed is entries or a reason; every entry is text without control characters, with a web address or none."""
    with _soon():
        feed = parse_feed(data, url=_URL, now=_NOW)
    assert isinstance(feed, ParsedFeed | NotAFeed)
    if isinstance(feed, NotAFeed):
        assert feed.detail
        return
    entries = feed.entries
    assert len({entry.key for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.title
        assert entry.url == "" or entry.url.startswith(("http://", "https://")), entry.url
        assert not any(sign in entry.title + entry.summary + entry.body for sign in "\x00\x1b\u202e"), entry
        assert entry.published_at is None or entry.published_at <= _NOW + timedelta(days=1)


def read_query(data: bytes) -> None:
    """A query is read the same when it is written and read again, or is refused with a place and a remedy."""
    text = data.decode("utf-8", "replace")
    try:
        with _soon():
            query = parse_query(text)
    except QueryError as error:
        refusal = error
    else:
        assert str(parse_query(str(query))) == str(query)
        return
    assert 0 <= refusal.position <= max(len(text), MAX_LENGTH)
    assert refusal.remedy


def read_mail(data: bytes) -> None:
    """Mail that comes back is a bounce, a complaint or nothing; without our signature, it is nothing."""
    with _soon():
        forged = read_returned(data, _BOUNCES, "another key")
        signed = read_returned(_signed(data), _BOUNCES, _KEY)
    assert isinstance(forged, Ignored)
    assert isinstance(signed, Bounced | Complained | Ignored)
    if isinstance(signed, Bounced | Complained):
        assert signed.reference == "d123"
    if isinstance(signed, Bounced):
        assert signed.detail.isprintable(), signed.detail
        signed.detail.encode()


def _signed(data: bytes) -> bytes:
    return b"To: " + return_path("d123", _BOUNCES, _KEY).encode() + b"\r\n" + data


TARGETS = {"feed": read_feed, "mail": read_mail, "query": read_query}


def seeds(name: str) -> list[bytes]:
    """Well-formed examples of what a target reads: where a fuzzer starts."""
    return [path.read_bytes() for path in sorted((_SEEDS / name).iterdir())]
