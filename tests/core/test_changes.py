"""Two versions of a text, compared word by word."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.changes import changes


def shown(before: str, after: str) -> str:
    marks = {"same": "{}", "gone": "[-{}-]", "new": "[+{}+]", "left out": "…"}
    return "".join(marks[piece.kind].format(piece.text) for piece in changes(before, after))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("same", "same", ""),
        ("", "new", "[+new+]"),
        ("old", "", "[-old-]"),
        ("nine joint projects", "12 joint projects", "[-nine -][+12 +]joint projects"),
        ("a\nb\nc", "a\nx\nc", "a\n[-b\n-][+x\n+]c"),
        ("a " * 300 + "b", "a " * 300 + "c", "…" + "a " * 79 + "[-b-][+c+]"),
        ("b " + "a " * 300, "c " + "a " * 300, "[-b -][+c +]" + "a " * 80 + "…"),
    ],
)
def test_what_changed_is_told(before: str, after: str, told: str) -> None:
    assert shown(before, after) == told


@given(st.text("ab \n", max_size=60), st.text("ab \n", max_size=60))
def test_the_pieces_make_up_both_versions(before: str, after: str) -> None:
    pieces = changes(before, after)
    if before != after:
        assert "".join(piece.text for piece in pieces if piece.kind != "new") == before
        assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after


def test_a_long_rewritten_text_is_not_compared_for_minutes() -> None:
    before = " ".join(f"a{number}" for number in range(10_000))
    after = " ".join(f"b{number}" for number in range(10_000))
    started = time.process_time()
    assert [piece.kind for piece in changes(before, after)] == ["gone", "new"]
    assert time.process_time() - started < 5
