"""The text of a document whose bytes, headers and declarations may tell different stories about its characters."""

from __future__ import annotations

import codecs

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, to_unicode

_NOT_CHARSETS = frozenset(("idna", "punycode", "raw_unicode_escape", "unicode_escape"))
_WITHOUT_MARK = ((b"\x00\x00\x00<", "utf-32-be"), (b"<\x00\x00\x00", "utf-32-le"))
_WIDE = ((b"\x00<", "utf-16-be"), (b"<\x00", "utf-16-le"))


def decode(body: bytes, content_type: str = "") -> str:
    """The text of ``body``, never with an error.

    A byte order mark is believed first. Then UTF-8 is, whatever is declared, where the bytes are valid as such:
    text of another charset beyond ASCII hardly ever is. Else the document's own declaration counts before the
    header's, because servers send one default charset for everything. Where UTF-8 is declared but single bytes
    do not fit, each of those is read as Windows-1252: that is a page pasted together from both, or one that is
    Windows-1252 all through.

    Args:
        body: The document.
        content_type: The value of the ``Content-Type`` header, or empty.
    """
    marked, mark = read_bom(body)
    if marked and mark:
        return to_unicode(body[len(mark) :], marked)
    for start, wide in (*_WITHOUT_MARK, *_WIDE):
        if body.startswith(start):
            return to_unicode(body, wide)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return _as_declared(body, content_type)


def _as_declared(body: bytes, content_type: str) -> str:
    for declared in (html_body_declared_encoding(body), http_content_type_encoding(content_type)):
        if declared and declared != "utf-8" and declared not in _NOT_CHARSETS:
            try:
                return to_unicode(body, declared)
            except (LookupError, UnicodeError):  # "hex" and "zlib" are codecs of Python, but no charsets
                continue
    return body.decode("utf-8", "windows-1252-bytes")


def _read_as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    return stray.decode("cp1252", "replace"), error.end


codecs.register_error("windows-1252-bytes", _read_as_windows_1252)
