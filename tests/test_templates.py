"""No template says anything that is not marked for translation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment

ROOT = Path(__file__).parents[1] / "templates"
# The newsroom's pages play offices of three countries, each in its own language.
TEMPLATES = sorted(path for kind in ("web", "email") for path in (ROOT / kind).rglob("*.*") if path.suffix != ".css")
SAME_EVERYWHERE = re.compile(
    r"Roadmap Monitor|https://[\w.…/]*|\bJSON (?:Lines|Feed)"
    r"|\b(?:RIS|BibTeX|OPML|TOML|CSV|JSON|Atom|RSS|ID|SHA-256|UTC|κ|s|fr)\b"
)
SHOWN = re.compile(r"\b(?:title|aria-label|aria-description|placeholder|alt)=([\"'])(.*?)\1", re.DOTALL)
SILENT = re.compile(r"<!--.*?-->|<(script|style|code|kbd|pre)\b.*?</\1>|<!doctype[^>]*>", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>|\b[a-z-]+=\"[^\"]*\"")  # an attribute may stand alone in a macro
ENTITY = re.compile(r"&#?\w+;")
BEFORE_TEXT = {"variable_begin", "else", "or", "~", "("}


def spoken(source: str) -> str:
    """A template as it is shown, without what its expressions give, and with the strings that they show as they are."""
    tokens = [token for token in Environment(extensions=["jinja2.ext.i18n"]).lex(source) if token[1] != "whitespace"]
    return "".join(_spoken(tokens))


def _spoken(tokens: list[tuple[int, str, str]]) -> Iterator[str]:
    depth, shown, translated, before = 0, False, False, ""
    for (_, kind, value), following in zip(tokens, [*tokens[1:], (0, "", "")], strict=True):
        if kind == "data":
            yield "" if translated else value
        elif kind == "variable_begin":
            depth, shown = 0, True
            yield "\u00b7"
        elif kind == "variable_end":
            shown = False
        elif kind == "name" and before == "block_begin" and value in {"trans", "endtrans"}:
            translated = value == "trans"
        elif kind == "operator" and value in "([{)]}":
            depth += 1 if value in "([{" else -1
        elif (
            kind == "string"
            and shown
            and depth == 0
            and before in BEFORE_TEXT
            and following[2] not in {"==", "!=", "in"}
        ):
            yield value[1:-1].replace("\\n", "\n")
        before = value if kind in {"name", "operator"} else kind


def bare(source: str) -> list[str]:
    """What a template says that no catalogue can translate."""
    text = SILENT.sub(" ", spoken(source))
    said = [value for _, value in SHOWN.findall(text)] + TAG.sub("\n", text).split("\n")
    plain = (SAME_EVERYWHERE.sub("", ENTITY.sub("", one)).strip() for one in said)
    return [one for one in plain if re.search(r"[^\W\d_]", one)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_no_bare_text(path: Path) -> None:
    assert bare(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('<p>{{ _("Saved.") }} {% trans %}All{% endtrans %} <b lang="en">&nbsp;·</b></p>', []),
        ("<p>Saved.</p>", ["Saved."]),
        ('<input placeholder="Name"{{ " checked" if on }}>', ["Name"]),
        ('<p>{{ "never" if none else when }}</p>', ["·never"]),
        ('<p>{{ when or "never" }} {{ "a" if kind == "b" else _("c") }}</p>', ["·never ·a"]),
        ("<code>monitor run</code> <p>Roadmap Monitor", []),
    ],
)
def test_bare_text_is_found(source: str, found: list[str]) -> None:
    assert bare(source) == found
