"""Bodies that are too large, badly encoded, or not what their headers say."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.polling.decoding import BadEncodingError, BodyDecoder, BodyTooLargeError, body_coding
from monitor.polling.fetch import Failed, FailureKind, Fetched

OK = b"HTTP/1.1 200 OK\r\n"
TEXT = b"<rss>" + b"<item/>" * 500 + b"</rss>"


def raw_deflate(data: bytes) -> bytes:
    """What some servers send as "deflate": the bare stream, without zlib's frame."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


GOOD = {
    "plain": ({}, TEXT),
    "identity": ({"Content-Encoding": "identity"}, TEXT),
    "gzip": ({"Content-Encoding": "gzip"}, gzip.compress(TEXT)),
    "x-gzip in capitals": ({"Content-Encoding": "X-GZIP"}, gzip.compress(TEXT)),
    "gzip in two members": ({"Content-Encoding": "gzip"}, gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
    "gzip with padding": ({"Content-Encoding": "gzip"}, gzip.compress(TEXT) + bytes(16)),
    "deflate": ({"Content-Encoding": "deflate"}, zlib.compress(TEXT)),
    "deflate without frame": ({"Content-Encoding": "deflate"}, raw_deflate(TEXT)),
}

BAD = {
    "18 gzip within gzip": ({"Content-Encoding": "gzip, gzip"}, gzip.compress(gzip.compress(TEXT))),
    "18 deflate within gzip": ({"Content-Encoding": "deflate, gzip"}, gzip.compress(zlib.compress(TEXT))),
    "18 damaged": ({"Content-Encoding": "gzip"}, gzip.compress(TEXT)[:20] + b"\xff" * 20),
    "18 wrong checksum": ({"Content-Encoding": "gzip"}, gzip.compress(TEXT)[:-8] + b"\0" * 8),
    "18 cut short": ({"Content-Encoding": "gzip"}, gzip.compress(TEXT)[:-9]),
    "18 not compressed at all": ({"Content-Encoding": "gzip"}, TEXT),
    "18 a charset for an encoding": ({"Content-Encoding": "utf-8"}, TEXT),
    "17 brotli that nobody asked for": ({"Content-Encoding": "br"}, b"\x8b\x01\x80abc\x03"),
    "17 zstd that nobody asked for": ({"Content-Encoding": "zstd"}, b"(\xb5/\xfd"),
    "17 a million empty members": ({"Content-Encoding": "gzip"}, gzip.compress(b"") * 50_000),
}


@pytest.mark.parametrize(("headers", "body"), GOOD.values(), ids=GOOD.keys())
def test_what_was_asked_for_is_decoded(faults, fetch, headers, body):
    outcome = fetch(faults.play("/feed", [{"body": body} | headers]))
    assert isinstance(outcome, Fetched)
    assert outcome.body == TEXT
    assert faults.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(("headers", "body"), BAD.values(), ids=BAD.keys())
def test_any_other_encoding_is_a_named_failure(faults, fetch, headers, body):
    outcome = fetch(faults.play("/feed", [{"body": body} | headers]))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.BAD_ENCODING


LENGTHS = {
    "18 longer than said": (OK + b"Content-Length: 3\r\n\r\nabcdefgh", FailureKind.BAD_HTTP),
    "18 said twice, differently": (OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", FailureKind.BAD_HTTP),
    "18 negative": (OK + b"Content-Length: -1\r\n\r\nabc", FailureKind.BAD_HTTP),
    "18 not a number": (OK + b"Content-Length: abc\r\n\r\nabc", FailureKind.BAD_HTTP),
    "18 beside chunks": (
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        FailureKind.BAD_HTTP,
    ),
}


@pytest.mark.parametrize(("answer", "kind"), LENGTHS.values(), ids=LENGTHS.keys())
def test_18_a_wrong_content_length_is_a_named_failure(faults, fetch, answer, kind):
    """Shorter than said is row 3: the connection ends before the whole answer has come."""
    outcome = fetch(faults.play("/feed", [answer, "close"]))
    assert isinstance(outcome, Failed)
    assert outcome.kind is kind


def test_16_fifty_megabytes_said_are_not_even_begun(faults, fetch):
    outcome = fetch(faults.play("/feed", [OK + b"Content-Length: 50000000\r\n\r\n", *[bytes(1_000_000)] * 50]))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TOO_LARGE
    assert faults.bytes_sent < 8_000_000  # what the kernel's buffers took


def test_16_fifty_megabytes_unsaid_are_cut_at_the_cap(faults, fetch):
    outcome = fetch(faults.play("/feed", [OK + b"\r\n", *[bytes(1_000_000)] * 50, "close"]))
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TOO_LARGE
    assert 10_000_000 < faults.bytes_sent < 20_000_000


def test_16_a_body_at_the_cap_is_taken(faults, fetch):
    limits = {"max_raw_bytes": 100_000, "max_decoded_bytes": 100_000}
    assert len(fetch(faults.play("/1", [{"body": bytes(100_000)}]), fetcher=limits).body) == 100_000
    assert fetch(faults.play("/2", [{"body": bytes(100_001)}]), fetcher=limits).kind is FailureKind.TOO_LARGE


def bomb(megabytes: int) -> bytes:
    """A gzip stream of zeros, about 1 KB for each MB: one compressed block, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packer.compress(b"")
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * megabytes


@pytest.mark.parametrize("megabytes", [1, 100, 10_000], ids=["17 1 MB", "17 100 MB", "17 10 GB"])
def test_17_a_gzip_bomb_is_cut_at_the_decoded_cap(faults, fetch, megabytes):
    """Memory stays within a few times the cap, however far the bomb would swell."""
    limits = {"max_raw_bytes": 20_000_000, "max_decoded_bytes": 500_000}
    url = faults.play("/feed", [OK + b"Content-Encoding: gzip\r\n\r\n" + bomb(megabytes), "close"])
    tracemalloc.start()
    outcome = fetch(url, fetcher=limits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.TOO_LARGE
    assert "decompressed" in outcome.detail
    assert peak < 4_000_000


@given(
    data=st.binary(max_size=5000),
    sizes=st.lists(st.integers(1, 400), max_size=30),
    coding=st.sampled_from(["gzip", "deflate"]),
)
def test_chunk_borders_do_not_matter(data, sizes, coding):
    packed = gzip.compress(data[:50]) + gzip.compress(data[50:]) if coding == "gzip" else zlib.compress(data)
    decoder = BodyDecoder(coding, max_raw=10_000, max_decoded=5000)
    for size in [*sizes, len(packed)]:
        decoder.feed(packed[:size])
        packed = packed[size:]
    assert decoder.finish() == data


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", ""]))
def test_any_bytes_end_in_a_body_or_a_named_failure(data, coding):
    decoder = BodyDecoder(coding, max_raw=1000, max_decoded=200)
    try:
        decoder.feed(data)
        assert len(decoder.finish()) <= 200
    except (BadEncodingError, BodyTooLargeError) as error:
        assert str(error)  # noqa: PT017 - either outcome is right, and neither may be silent


@given(st.lists(st.text(max_size=20), max_size=4), st.lists(st.text(max_size=20), max_size=2))
def test_any_encoding_header_is_understood_or_refused(content, transfer):
    try:
        assert body_coding(content, transfer) in {"", "gzip", "deflate"}
    except BadEncodingError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, and neither may be silent
