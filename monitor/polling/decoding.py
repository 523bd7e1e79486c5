"""Bounded decompression of HTTP bodies: a few kilobytes can stand for gigabytes, so the output is counted.

gzip and deflate only. Python's zlib can stop at a given output size; a brotli bomb cannot be stopped that way by
every release of its bindings, and so brotli is never asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from monitor.texts import marked as _

ACCEPT_ENCODING = "gzip, deflate"

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_MEMBERS = 1000
"""A gzip body may be several streams in a row (RFC 1952, 2.2); bgzip needs 320 for 20 MB. Half a million empty ones
in 10 MB would only burn time."""


class BadEncodingError(Exception):
    """A body whose encoding is unknown, nested or damaged; the text is for an editor."""


class BodyTooLargeError(Exception):
    """A body that passes its cap; the text is for an editor."""


def body_coding(content: Iterable[str], transfer: Iterable[str]) -> str:
    """The one coding that a body is in: ``gzip``, ``deflate`` or empty for none.

    Args:
        content: The ``Content-Encoding`` headers.
        transfer: The ``Transfer-Encoding`` headers; ``chunked`` is undone by the HTTP parser, the rest is not.

    Raises:
        BadEncodingError: More than one coding, or one that was not asked for.
    """
    codings = [token.removeprefix("x-") for token in _tokens(content)] + _tokens(transfer, beside="chunked")
    if len(codings) > 1:
        raise BadEncodingError(_("the answer is compressed more than once (%(known)s)", known=", ".join(codings)))
    if codings and codings[0] not in {"gzip", "deflate"}:
        raise BadEncodingError(
            _("the answer is encoded as %(coding)s, which was not asked for", coding=repr(codings[0][:40]))
        )
    return codings[0] if codings else ""


def _tokens(values: Iterable[str], beside: str = "") -> list[str]:
    named = [token.strip().lower() for value in values for token in value.split(",")]
    return [token for token in named if token not in {"", "identity", beside}]


class BodyDecoder:
    """Takes a body as it comes and keeps it decoded, never holding more than the caps allow.

    Args:
        coding: What ``body_coding`` gave.
        max_raw: The most bytes to take.
        max_decoded: The most bytes to keep.
    """

    def __init__(self, coding: str, *, max_raw: int, max_decoded: int) -> None:
        self._coding, self._max_raw, self._max_decoded = coding, max_raw, max_decoded
        self._raw = self._decoded = self._members = 0
        self._stream: zlib._Decompress | None = None
        self._parts: list[bytes] = []

    def expect(self, length: int | None) -> None:
        """Hear how long the body is said to be, and refuse at once rather than after megabytes.

        Raises:
            BodyTooLargeError: It is said to pass the cap.
        """
        if length is not None and length > self._max_raw:
            raise BodyTooLargeError(_("the answer is larger than %(size)s", size=_size(self._max_raw)))

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            BodyTooLargeError: A cap is passed.
            BadEncodingError: The compressed data is damaged.
        """
        self._raw += len(chunk)
        self.expect(self._raw)
        if self._coding:
            self._inflate(chunk)
        else:
            self._keep(chunk)

    def finish(self) -> bytes:
        """The whole body.

        Raises:
            BadEncodingError: The compressed data ends too early.
        """
        if self._stream is not None and not self._stream.eof:
            raise BadEncodingError(_("the compressed answer ends too early"))
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _inflate(self, data: bytes) -> None:
        while data:
            if self._stream is None or self._stream.eof:
                if not self._begins_member(data):
                    return
                self._stream = zlib.decompressobj(self._window(data))
            # One byte more than there is room for: enough to know that the cap is passed.
            room = self._max_decoded - self._decoded + 1
            try:
                self._keep(self._stream.decompress(data, room))
            except zlib.error as error:
                raise BadEncodingError(_("the compressed answer is damaged: %(error)s", error=error)) from error
            data = self._stream.unused_data or self._stream.unconsumed_tail

    def _begins_member(self, data: bytes) -> bool:
        """Whether another stream begins; what follows the last one (padding, mostly) is ignored, as browsers do."""
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise BadEncodingError(_("the compressed answer has more than %(most)s parts", most=_MOST_MEMBERS))
        # The chunk may end within the two magic bytes.
        return self._stream is None or (self._coding == "gzip" and _GZIP_MAGIC.startswith(data[:2]))

    def _window(self, data: bytes) -> int:
        if self._coding == "gzip":
            return _GZIP
        # "deflate" is zlib's format (RFC 9110, 8.4.1.2), but some servers send the bare stream.
        return _ZLIB if data[0] & 0x0F == zlib.DEFLATED else _RAW

    def _keep(self, data: bytes) -> None:
        self._decoded += len(data)
        if self._decoded > self._max_decoded:
            raise BodyTooLargeError(
                _("the answer is larger than %(size)s when decompressed", size=_size(self._max_decoded))
            )
        if data:
            self._parts.append(data)


def _size(count: int) -> str:
    return f"{count / 1_000_000:g} MB"
