"""Texts cut into chunks on their bytes hold the same words, at the same places, as the texts themselves."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.matching.analysis import Token, analyse, tokens, words_of
from monitor.matching.chunks import GAP, Chunks

SIGNS = "aZ9éŒ“’—–\u2011…•\u2060\u00ad\u00a0\u2028\x85²ａ-.'`s_,;()[]/@ \t\n\0\x01\x7f\ud800𝐍"
texts = st.text(st.sampled_from(SIGNS), max_size=20) | st.text(max_size=20)


def texts_of(chunks: Chunks) -> list[str]:
    return chunks.texts(np.arange(len(chunks.keys)))


def words_in(chunks: Chunks, count: int) -> list[list[Token]]:
    """The words of each text as the chunks have them, with their offsets in the text."""
    found: list[list[Token]] = [[] for _ in range(count)]
    text = 0
    for number, chunk in enumerate(texts_of(chunks)):
        if chunk == GAP:
            text += 1
            continue
        start = chunks.offset(text, number)
        found[text] += [word._replace(start=start + word.start, end=start + word.end) for word in analyse(chunk)]
    assert text == count
    return found


@given(st.lists(texts, min_size=1, max_size=4))
@example(
    [
        "U.S.-Canada",
        "Inc.'s",
        "l'.Arctique",
        "-.'a'.-",
        "...",
        "G-7, F-35A's;U.S.'s",
        "G—7 G-\u20607 a—b l’a—7 co-op-3",
        "x" * 300 + " y",
    ]
)
def test_the_words_of_the_chunks_are_those_of_the_text(batch: list[str]) -> None:
    assert words_in(Chunks(batch), len(batch)) == [list(tokens(text)) for text in batch]


@given(texts)
def test_words_without_offsets_are_the_same_words(chunk: str) -> None:
    assert words_of(chunk) == [(token.word, token.capitals) for token in analyse(chunk)]


@given(texts, texts)
def test_equal_keys_mean_equal_words(one: str, other: str) -> None:
    chunks = Chunks([one, other])
    words: dict[int, list[tuple[str, bool]]] = {}
    for key, chunk in zip(chunks.keys.tolist(), texts_of(chunks), strict=True):
        assert words.setdefault(key, words_of(chunk)) == words_of(chunk)


def test_signs_at_the_ends_of_a_chunk_do_not_count_and_case_does() -> None:
    keys = Chunks(["Canada (Canada), 'Canada'. canada cross-border"]).keys.tolist()
    assert keys[0] == keys[1] == keys[2]
    assert len(set(keys)) == 5  # with the gap: a hyphen sets apart


def test_chunks_that_are_too_long_to_be_met_again_are_never_known() -> None:
    long, longest = Chunks(["x" * 256] * 2).keys.tolist(), Chunks(["x" * 257] * 2).keys.tolist()
    assert (long[0] == long[2], longest[0] == longest[2]) == (True, False)
