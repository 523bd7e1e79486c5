"""Two versions of a text, compared word by word."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.changes import changes


def shown(before: str, after: str) -> str:
    marks = {"same": "{}", "gone": "[-{}-]", "new": "[+{}+]", "left out": "…"}
    pieces = changes(before, after)
    assert all((piece.text == "") is (piece.kind == "left out") for piece in pieces)
    return "".join(marks[piece.kind].format(piece.text) for piece in pieces)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("same", "same", ""),
        ("", "new", "[+new+]"),
        ("old", "", "[-old-]"),
        ("nine joint projects", "12 joint projects", "[-nine -][+12 +]joint projects"),
        ("a\nb\nc", "a\nx\nc", "a\n[-b\n-][+x\n+]c"),
        ("a\nb c\nd", "a\nb x\nd", "a\nb [-c\n-][+x\n+]d"),
        ("a " * 160 + "b", "a " * 160 + "c", "a " * 160 + "[-b-][+c+]"),
        ("a " * 300, "a " * 300 + "b", "…" + "a " * 79 + "[+b+]"),
        ("a " * 300 + "b", "a " * 300 + "c", "…" + "a " * 79 + "[-b-][+c+]"),
        ("b " + "a " * 300, "c " + "a " * 300, "[-b -][+c +]" + "a " * 79 + "…"),
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


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ("a " * 749 + "b", "a " * 749 + "c", ["left out", "same", "gone", "new"]),
        ("a " * 750 + "b", "a " * 750 + "c", ["gone", "new"]),
        ("a\n" * 1_999 + "b", "a\n" * 1_999 + "c", ["left out", "same", "gone", "new"]),
        ("a\n" * 2_000 + "b", "a\n" * 2_000 + "c", ["gone", "new"]),
    ],
)
def test_what_is_too_long_to_compare_is_told_whole(before: str, after: str, kinds: list[str]) -> None:
    pieces = changes(before, after)
    assert [piece.kind for piece in pieces] == kinds
    if len(pieces) == 2:
        assert [piece.text for piece in pieces] == [before, after]


def test_a_long_rewritten_text_is_not_compared_for_minutes() -> None:
    before = " ".join(f"a{number}" for number in range(10_000))
    after = " ".join(f"b{number}" for number in range(10_000))
    started = time.process_time()
    assert [piece.kind for piece in changes(before, after)] == ["gone", "new"]
    assert time.process_time() - started < 5
