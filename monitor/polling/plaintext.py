"""Hostile HTML to plain text. Plain text is all that the service keeps: no HTML is ever stored, mailed or shown.

Beyond the bounds of ``markup`` no honest text goes; there the tags are cut out by pattern. A text of 8 kB takes 0.2 ms;
the plain ones that fill most feeds are read by ``plainmarkup`` in a fifth of that.
"""

from __future__ import annotations

import html as html_entities
import re
from collections.abc import Mapping

from lxml import etree

from monitor.core.text import tidy
from monitor.polling.markup import Listener, TooComplexError, parse_html
from monitor.polling.plainmarkup import read_plain_html

_NEVER_READ = "script style noscript template iframe noembed noframes object svg math head title xmp textarea select"
_BLOCKS = (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr main nav ol p pre section summary table ul"
)
_UNSEEN = frozenset(_NEVER_READ.split())
_PARAGRAPHS = frozenset(_BLOCKS.split())
_LINES = frozenset(("br", "li", "tr"))
_CELLS = frozenset(("td", "th"))
_BLANK_LINE = re.compile(r"(?:\r\n?|\n)[^\S\n]*(?:\r\n?|\n)")
_UNSEEN_ELEMENT = re.compile(rf"<({'|'.join(_UNSEEN)})\b[^<>]*>.*?(?:</\1[^<>]*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[^<>]*>", re.DOTALL)


def plain_text(html: str) -> str:
    """The text that a reader of ``html`` sees, with a blank line between paragraphs.

    Entities are decoded once, so that ``&amp;lt;`` becomes the text ``&lt;``. What runs, styles or embeds is
    dropped with its content; addresses of links are dropped. The result holds no control, zero-width or
    bidirectional character and no lone surrogate, and it is text: whoever shows it in HTML escapes it.
    """
    if "<" not in html:
        return tidy_paragraphs(html_entities.unescape(html))
    plain = read_plain_html(_storable(html))
    return _read_any_html(html) if plain is None else plain


def _read_any_html(html: str) -> str:
    reader = _Reader()
    try:
        parse_html(html, reader)
    except (TooComplexError, etree.XMLSyntaxError):  # or nothing but a comment, or a lone "<"
        return tidy_paragraphs(html_entities.unescape(_TAG.sub(" ", _UNSEEN_ELEMENT.sub(" ", html))))
    return reader.text()


def tidy_paragraphs(text: str) -> str:
    """Text that is no HTML, tidied: its blank lines stay as paragraph breaks, other line ends become spaces."""
    paragraphs = (tidy(paragraph) for paragraph in _BLANK_LINE.split(_storable(text)))
    return "\n\n".join(filter(None, paragraphs))


def _storable(text: str) -> str:
    """Without lone surrogates, which JSON can spell and a database refuses; ``tidy`` sees to NUL."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class _Reader(Listener):
    """Gathers text into lines, and lines into paragraphs."""

    def __init__(self) -> None:
        super().__init__()
        self._paragraphs: list[list[str]] = [[]]
        self._line: list[str] = []
        self._unseen = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        super().start(tag, attributes)
        self._unseen += tag in _UNSEEN
        self._separate(tag)

    def end(self, tag: str) -> None:
        super().end(tag)
        self._unseen -= tag in _UNSEEN
        self._separate(tag)

    def data(self, text: str) -> None:
        if not self._unseen:
            self._line.append(text)

    def text(self) -> str:
        self._end_line()
        return "\n\n".join("\n".join(lines) for lines in self._paragraphs if lines)

    def _separate(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._end_line()
            if self._paragraphs[-1]:
                self._paragraphs.append([])
        elif tag in _LINES:
            self._end_line()
        elif tag in _CELLS:
            self._line.append(" ")

    def _end_line(self) -> None:
        line = tidy("".join(self._line))
        self._line.clear()
        if line:
            self._paragraphs[-1].append(line)
