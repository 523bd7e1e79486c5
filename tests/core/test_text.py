from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core import text
from monitor.core.text import Offsets, content_hash, fold, tidy, unaccent, visible_offsets


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """What a character becomes is worked out in the test, and not remembered from one before."""
    text._TIDIED.clear()
    text._UNACCENTED.clear()


anything = st.text(
    st.characters() | st.sampled_from("\u2060\u200b\u00ad\ufeff\u00a0’ʼ—œŒﬁ…é\u0301\n\t aA-"), max_size=40
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("North American\u2060 Leaders’ Sum\u00admit", "North American Leaders’ Summit"),
        ("\ufeff  Le\u00a0G7\n\t est\u200b ici \u202f!", "Le G7 est ici !"),
        ("se\u0301curite\u0301", "sécurité"),
        ("\u202eevil\u202c\x00name", "evil name"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("", ""),
    ],
)
def test_tidy_shows_one_plain_line(text: str, expected: str) -> None:
    assert tidy(text) == expected


@given(anything)
def test_tidy_is_stable_normalised_and_has_no_white_space_but_single_spaces(text: str) -> None:
    tidied = tidy(text)
    assert tidy(tidied) == tidied
    assert unicodedata.is_normalized("NFC", tidied)
    assert tidied == " ".join(tidied.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sécurité À l’Été", "securite a l'ete"),
        ("Leadersʼ Leaders‘ Leaders´", "leaders' leaders' leaders'"),
        ("“net\u2011zero” – «\u00a0net—zero\u00a0»", '"net-zero" - " net-zero "'),
        ("sum\u00adm\u2060it", "summit"),
        ("Œuvre, ŒUVRE, ﬁnance, STRASSE, Straße, Ⅳ, ２", "oeuvre, oeuvre, finance, strasse, strasse, iv, 2"),
        ("Niño ÁRTICO Łódź İstanbul", "nino artico lodz istanbul"),
        ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
        ("a\nb\tc\u00a0d\u2028e", "a b c d e"),
    ],
)
def test_fold_removes_what_matching_must_not_see(text: str, expected: str) -> None:
    assert fold(text) == expected


def test_unaccent_keeps_case() -> None:
    assert unaccent("L’OTAN, Édouard et Œdipe") == "L'OTAN, Edouard et OEdipe"


@given(anything)
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(anything, st.data())
def test_offsets_lead_from_folded_text_to_its_original(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    if not folded:
        return
    start = data.draw(st.integers(0, len(folded) - 1))
    end = data.draw(st.integers(start + 1, len(folded)))
    first, last = Offsets(text).original(start, end)
    assert 0 <= first < last <= len(text)
    assert folded[start:end] in fold(text[first:last])


def test_offsets_step_over_what_has_no_width_and_into_what_is_spelled_out() -> None:
    text = "\u2060le cœ\u00adur"
    start = fold(text).index("oe")
    assert text[slice(*Offsets(text).original(start, start + 2))] == "œ"
    assert text[slice(*Offsets(text).original(0, 2))] == "le"


def test_visible_offsets_leave_out_zero_width_characters() -> None:
    assert visible_offsets("\ufeffa\u2060 b") == [1, 3, 4]


@pytest.mark.parametrize(
    ("one", "other"),
    [(("ab", "c"), ("a", "bc")), (("a", ""), ("a",)), (("1:a",), ("1", "a")), (("a",), ("A",))],
)
def test_content_hash_tells_different_parts_apart(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert content_hash(*one) != content_hash(*other)


@given(anything)
def test_content_hash_is_of_the_text_as_one_tidy_line(text: str) -> None:
    line = tidy(text).encode()
    assert content_hash(text) == hashlib.sha256(b"%d:" % len(line) + line).hexdigest()


def test_content_hash_is_the_same_for_what_a_reader_sees_as_the_same() -> None:
    assert content_hash("A\u2060 title", "b") == content_hash(" A\u00a0title\n", "b")
    assert content_hash("ab", "c") == hashlib.sha256(b"2:ab1:c").hexdigest(), "as it was stored"
    assert len(content_hash("a lone surrogate from JSON: \ud83d")) == 64
