"""HTML from strangers, parsed within bounds: at its bytes' time, whatever the bytes are.

libxml2 reads HTML as browsers do and fast, but two things cost it the square of their number: the attributes of one
element, when it builds the tree itself (300,000 in 3 MB took 390 s), and elements left open, each of which it looks
at for each stray ``</p>`` (500,000 in 2.4 MB took 107 s). So it only tells its events here, in portions, and whoever
listens stops at a depth and a number of attributes that no honest document has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from lxml import etree
from lxml import html as lxml_html

from monitor.polling.document import FORBIDDEN

_PORTION = 16_384  # bytes; lxml raises at the end of a portion only what its listener raised
_DEEPEST = 256  # the depth at which libxml2 ends its own trees
_MOST_ATTRIBUTES = 250
_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


class TooComplexError(Exception):
    """More elements are open, or more attributes given, than any honest document has."""


class Listener:
    """What ``parse_html`` tells its events to; the base does nothing but keep the bounds."""

    def __init__(self) -> None:
        self._depth = 0

    def start(self, _tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > _DEEPEST or len(attributes) > _MOST_ATTRIBUTES:
            raise TooComplexError

    def end(self, _tag: str) -> None:
        """An element ends."""
        self._depth -= 1

    def data(self, text: str) -> None:
        """Text, in pieces."""

    def close(self) -> None:
        """The document ends."""


def parse_html(html: str, listener: Listener) -> None:
    """Tell ``listener`` what ``html`` holds; comments, declarations, NUL and lone surrogates are left out.

    Raises:
        TooComplexError: A bound is passed.
    """
    encoded = html.replace("\x00", "").encode("utf-8", "replace")
    parser = etree.HTMLParser(target=listener, encoding="utf-8", no_network=True)
    for start in range(0, len(encoded), _PORTION):
        parser.feed(encoded[start : start + _PORTION])
    parser.close()


def html_tree(html: str) -> lxml_html.HtmlElement | None:
    """The tree of a document, or None where it holds no element or passes the bounds."""
    builder = _Builder()
    try:
        parse_html(html, builder)
    except (TooComplexError, etree.XMLSyntaxError):
        return None
    return builder.root


class _Builder(Listener):
    """Builds a tree of ``lxml.html`` elements, without the names and characters that XML forbids: lxml refuses them."""

    def __init__(self) -> None:
        super().__init__()
        self._tree = etree.TreeBuilder(element_factory=lxml_html.html_parser.makeelement)
        self.root: lxml_html.HtmlElement | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        super().start(tag, attributes)
        usable = {name: FORBIDDEN.sub("", value) for name, value in attributes.items() if _NAME.fullmatch(name)}
        self._tree.start(tag if _NAME.fullmatch(tag) else "span", usable)

    def end(self, tag: str) -> None:
        super().end(tag)
        self._tree.end(tag if _NAME.fullmatch(tag) else "span")

    def data(self, text: str) -> None:
        self._tree.data(FORBIDDEN.sub("", text))

    def close(self) -> None:
        with suppress(AssertionError):  # lxml's word for "no element came"
            self.root = self._tree.close()
