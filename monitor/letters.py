"""Letters: Jinja templates in ``templates/email`` become a subject, an HTML text and a plain text.

The style sheet ``style.css`` is inlined into each HTML template once, when Jinja loads it, not into each mail
(css-inline takes 0.2 ms a mail, a render of the inlined template nothing extra). What cannot be inlined, dark mode
and phones, is in ``head.css`` and stays in the head.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.ext import Extension

from monitor import translations
from monitor.core.languages import Language
from monitor.shipped import shipped

_FOLDER = ("templates", "email")
_TEXT_WIDTH = 72
_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_MARK = re.compile(r"(?:<|&lt;)!--J(\d+)--(?:>|&gt;)")
_BLANK_LINES = re.compile(r"\n{3,}")
_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")  # no-break spaces stay: French needs them before a colon
# Zero-width characters (U+2060 is in 849 of 14,396 real titles), the marks that turn the direction of text round
# and would let a title rewrite what follows it, and lone surrogates, which no charset can carry.
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail without its envelope: one line of subject, and the same content as HTML and as plain text.

    Each is kept in parts, to be joined: letters of one day share most of them, and the mail encodes a part once.
    """

    subject: str
    html_parts: tuple[str, ...]
    text_parts: tuple[str, ...]

    @property
    def html(self) -> str:
        """The whole HTML document."""
        return "".join(self.html_parts)

    @property
    def text(self) -> str:
        """The whole plain text."""
        return "".join(self.text_parts)


def render_letter(name: str, language: Language, **values: Any) -> Letter:
    """Render ``NAME.subject.txt``, ``NAME.html`` and ``NAME.txt``.

    Args:
        name: The name of the templates, such as ``confirm``.
        language: The reader's language.
        values: What the templates name; a missing one raises ``jinja2.UndefinedError``.
    """
    subject = one_line(render(f"{name}.subject.txt", language, **values))
    html = render(f"{name}.html", language, subject=subject, **values)
    return Letter(subject, (html,), (render(f"{name}.txt", language, subject=subject, **values),))


def render(template: str, language: Language, **values: Any) -> str:
    """Render one template of ``templates/email`` in a reader's language; a text has no two blank lines on end."""
    rendered = _environment(language).get_template(template).render(values)
    return _BLANK_LINES.sub("\n\n", rendered) if template.endswith(".txt") else rendered


def printable(text: str) -> str:
    """Foreign text without anything that breaks a line or cannot be seen; the spaces at its ends stay."""
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", _BREAKS.sub(" ", text)))


def one_line(text: str, limit: int | None = None) -> str:
    """Foreign text as one line that is safe to show anywhere.

    Line breaks become spaces, invisible characters vanish, composed characters are used throughout.

    Args:
        text: Any string, lone surrogates included.
        limit: The most characters to keep; what is longer is cut at a word and ends in an ellipsis.
    """
    line = printable(text).strip()
    if limit is None or len(line) <= limit:
        return line
    head, space, _ = line[:limit].rpartition(" ")
    return (head if space and len(head) > limit // 2 else line[: limit - 1]).rstrip(" ,;:–-") + "…"


def web_address(url: str) -> str:
    """The address if it is a plain web address, else an empty string: nothing of a feed may run in a mail."""
    plain = url.startswith(("https://", "http://")) and not re.search(r"[\s\x00-\x1f\"<>\ud800-\udfff]", url)
    return url if plain else ""


def wrapped(text: str, indent: int = 0) -> str:
    """Plain text in lines of 72 columns; an address longer than that is left whole."""
    margin = " " * indent
    return textwrap.fill(
        one_line(text),
        _TEXT_WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


class _InlineCss(Extension):
    """Writes the style sheet into the ``style`` attributes of each HTML template as it is loaded.

    The inliner is an HTML parser, which would move ``{% for %}`` out of a table. So Jinja's parts travel through it
    as comments, which are allowed everywhere.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 (Jinja's signature)
        if name is None or not name.endswith(".html"):
            return source
        parts: list[str] = []

        def hide(match: re.Match[str]) -> str:
            parts.append(match[0])
            return f"<!--J{len(parts) - 1}-->"

        inlined = _inline(_JINJA.sub(hide, source))
        return _MARK.sub(lambda match: parts[int(match[1])], inlined)


def _inline(html: str) -> str:
    css = shipped(*_FOLDER, "style.css").read_text(encoding="utf-8")
    if "<html" not in html:
        return css_inline.inline_fragment(html, css, minify_css=True, load_remote_stylesheets=False)
    return css_inline.inline(
        html,
        extra_css=css,
        inline_style_tags=False,
        keep_style_tags=True,
        minify_css=True,
        load_remote_stylesheets=False,
    )


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(shipped(*_FOLDER)),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", _InlineCss],
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.install_gettext_translations(translations.translations(language), newstyle=True)  # type: ignore[attr-defined]  # added by the i18n extension
    environment.globals.update(language=language, locale=translations.locale(language))
    environment.filters.update(
        line=one_line,
        printable=printable,
        web=web_address,
        wrapped=wrapped,
        day=lambda moment, zone: translations.day(moment, language, zone),
        full_day=lambda moment, zone: translations.full_day(moment, language, zone),
        country=lambda code: translations.country_name(code, language),
    )
    return environment
