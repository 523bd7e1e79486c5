"""Texts keep what they are made of, so that an error is told in the reader's language."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import pytest

from monitor.core.languages import Language
from monitor.errors import QueryError
from monitor.matching.query import parse_query
from monitor.polling.statuses import failure_of
from monitor.texts import joined, marked, pack, unpack
from monitor.translations import say

ROOT = Path(__file__).parents[1]
NOWHERE = marked(
    "a redirect to where none may lead: %(detail)s",
    detail=marked("%(host)s is an IP address in disguise", host="0x7f.1"),
)


def test_a_text_is_english_to_whoever_does_not_care() -> None:
    assert NOWHERE == "a redirect to where none may lead: 0x7f.1 is an IP address in disguise"
    assert marked("%(count)s feeds, 100 %%", count=12_345) == "12,345 feeds, 100 %"
    assert joined("", marked("too large"), "50 %") == "too large; 50 %"
    assert joined() == ""


@pytest.mark.parametrize("again", [copy.deepcopy, lambda text: unpack(pack(text))])
def test_a_kept_text_can_be_said_in_any_language(again: Any) -> None:
    kept = again(NOWHERE)
    assert kept == NOWHERE
    assert say(kept, Language.FR) == "une redirection vers un lieu défendu\u00a0: 0x7f.1 est une adresse IP déguisée"
    assert say(kept, Language.EN) == NOWHERE


def test_foreign_text_is_kept_as_it_is() -> None:
    for foreign in ("", "100 % of {it}", "550 5.1.1 no such user", '{"text"'):
        assert say(unpack(pack(foreign)), Language.FR) == foreign


def test_numbers_are_written_as_the_language_writes_them(now: Any) -> None:
    with pytest.raises(QueryError) as raised:
        parse_query("a" * 3_000)
    assert str(raised.value).startswith("The query has 3,000 characters; 2,000 are allowed (at character 2001).")
    assert say(raised.value.text, Language.FR).startswith("La requête a 3\u00a0000 caractères; 2\u00a0000 sont permis")
    failed = failure_of(404, {}, now)
    assert failed is not None
    assert say(failed.detail, Language.ES) == "no hay nada en esta dirección (HTTP 404)"


def unmarked(path: Path) -> list[str]:
    """The places of a module where an error or an act of somebody is put in words that no catalogue has."""
    return [
        f"{path.name}:{call.lineno}"
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and any(map(_is_prose, _texts_of(call)))
    ]


def _texts_of(call: ast.Call) -> list[ast.expr]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in {"QueryError", "Failed", "NoFeed", "NotAFeed", "StructureChanged"}:
        return call.args
    return [given.value for given in call.keywords if name == "record_event" and given.arg == "action"]


def _is_prose(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_what_pages_show_of_the_machinery_is_marked_for_translation() -> None:
    places = [
        path for package in ("matching", "polling", "store") for path in (ROOT / "monitor" / package).glob("*.py")
    ]
    assert [place for path in places for place in unmarked(path)] == []
