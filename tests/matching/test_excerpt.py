"""The sentence around the evidence: the right one, whole, with the evidence marked, and never too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.nouns import Document, Evidence, FieldName
from monitor.matching.excerpt import Excerpt, excerpt


def found(document: Document, *terms: str, field: FieldName = "body") -> list[Evidence]:
    """Evidence of each place at which a term stands."""
    text = getattr(document, field)
    places = ((term, match) for term in terms for match in re.finditer(re.escape(term), text))
    return [Evidence("norad/en", 1, term, field, match.start(), match.end()) for term, match in places]


def marked(document: Document, *terms: str, field: FieldName = "body", limit: int = 300) -> str:
    """The excerpt with its evidence in brackets."""
    parts = excerpt(document, found(document, *terms, field=field), limit=limit).parts
    return "".join(f"[{text}]" if evidence else text for text, evidence in parts)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("First news. NORAD flies today. Last news.", "[NORAD] flies today."),
        ("“We fly,” said NORAD. Then it flew.", "“We fly,” said [NORAD]."),
        ("The U.S. Navy and NORAD met. They agreed.", "The U.S. Navy and [NORAD] met."),
        ("Gen. Smith of NORAD spoke. He left.", "Gen. Smith of [NORAD] spoke."),
        ("Le 3 févr. 2026, Mme Roy a visité NORAD. Elle part.", "Le 3 févr. 2026, Mme Roy a visité [NORAD]."),
        ("¿Qué hace NORAD? ¡Vuela!", "¿Qué hace [NORAD]?"),
        ("He visited. of NORAD he said nothing.", "He visited. of [NORAD] he said nothing."),
        ("A heading\n\nNORAD flies", "[NORAD] flies"),
        ("One line\nNORAD flies\nAnother", "[NORAD] flies"),
        ("A wrapped\nline of NORAD\nis one sentence.", "A wrapped line of [NORAD] is one sentence."),
        ("A  NORAD\u00a0 and \u2060 NORAD.", "A [NORAD] and [NORAD]."),
        ("NORAD NORAD flies.", "[NORAD] [NORAD] flies."),
        ("Nothing before NORAD", "Nothing before [NORAD]"),
    ],
)
def test_the_sentence_is_whole(body: str, shown: str) -> None:
    assert marked(Document("T", body=body), "NORAD") == shown


def test_the_sentence_with_the_most_different_terms_is_shown_and_the_first_of_equals() -> None:
    body = "NORAD, NORAD, NORAD. NORAD has a radar. A radar of NORAD."
    assert marked(Document("T", body=body), "NORAD", "radar") == "[NORAD] has a [radar]."


def test_summary_goes_before_body_and_the_title_is_shown_only_where_there_is_nothing_else() -> None:
    document = Document("NORAD flies", summary="NORAD in short.", body="NORAD at length.")
    everywhere = [
        evidence for field in ("title", "body", "summary") for evidence in found(document, "NORAD", field=field)
    ]
    assert excerpt(document, everywhere).field == "summary"
    assert marked(document, "NORAD", field="title") == "[NORAD] flies"
    assert excerpt(document, ()) == Excerpt("title", (("NORAD flies", False),))
    assert excerpt(document, [*found(document, "NORAD", "flies", field="title"), everywhere[1]]).field == "body"


def test_overlapping_evidence_is_one_mark_and_evidence_across_sentences_shows_them_all() -> None:
    document = Document("T", body="A Pacific. Ocean policy. End.")
    spans = [(2, 9), (5, 10), (11, 16), (2, 16)]
    evidence = [Evidence("w", 1, str(span), "body", *span) for span in spans]
    assert str(excerpt(document, evidence[:1])) == "A Pacific."
    shown = excerpt(document, evidence[3:])
    assert shown.parts == (("A ", False), ("Pacific. Ocean", True), (" policy.", False))
    assert excerpt(document, evidence[:2]).parts == (("A ", False), ("Pacific.", True))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (0, 40, "[NORAD] word word word…"),
        (40, 0, "…word [NORAD]"),
        (40, 40, "…word [NORAD] word word…"),
    ],
)
def test_a_long_sentence_is_cut_at_words_around_the_first_evidence(before: int, after: int, shown: str) -> None:
    body = " ".join(["word"] * before + ["NORAD"] + ["word"] * after)
    assert marked(Document("T", body=body), "NORAD", limit=24) == shown


@pytest.mark.parametrize(
    ("sentence", "limit", "shown"),
    [
        ("NORAD ab cd ef gh.", 18, "[NORAD] ab cd ef gh."),
        ("NORAD ab cd ef gh.", 17, "[NORAD] ab cd ef…"),
        ("NORAD ab cd ef gh.", 16, "[NORAD] ab cd ef…"),
        ("NORAD ab cd ef gh.", 15, "[NORAD] ab cd…"),
        ("Ab cd NORAD ef gh ij.", 13, "Ab cd [NORAD]…"),
        ("Ab cd NORAD ef gh ij.", 12, "…[NORAD] ef…"),
        ("Ab cd ef gh ij NORAD", 14, "…ij [NORAD]"),
        ("Ab cd ef gh ij NORAD", 13, "…[NORAD]"),
        ("Ab-cd-ef-gh-ij-NORAD kl mn.", 12, "…ij-[NORAD]…"),
        ("Ab cd ef NORAD kl", 10, "…[NORAD] kl"),
        ("NORAD-ab-cd-ef-gh ij.", 12, "[NORAD]-ab-c…"),
    ],
)
def test_a_sentence_is_cut_to_its_limit_and_no_further(sentence: str, limit: int, shown: str) -> None:
    for body in sentence, f"The sentence before it.\n\n{sentence}\n\nThe one after it.":
        assert marked(Document("T", body=body), "NORAD", limit=limit) == shown


def test_an_excerpt_has_300_characters_unless_asked_for_otherwise() -> None:
    for end, shown in ("y", 300), ("yy", 298):  # of 300 and of 301
        document = Document("T", body="NORAD" + " x" * 147 + end)
        assert len(str(excerpt(document, found(document, "NORAD")))) == shown


def test_a_long_title_without_evidence_is_cut_too() -> None:
    assert str(excerpt(Document("word " * 20), (), limit=12)) == "word word…"


def test_a_word_longer_than_the_limit_is_cut_in_the_middle() -> None:
    assert len(str(excerpt(Document("T", body="x" * 500), [Evidence("w", 1, "x", "body", 100, 500)], limit=50))) <= 50


@given(
    st.text(st.sampled_from("ab. \n…?A\u00a0\u2060"), min_size=1, max_size=200),
    st.lists(st.tuples(st.integers(0, 199), st.integers(1, 30)), max_size=4),
    st.integers(20, 120),
)
def test_whatever_the_text_an_excerpt_is_within_its_limit(body: str, places: list[tuple[int, int]], limit: int) -> None:
    spans = [(start, min(len(body), start + length)) for start, length in places if start < len(body)]
    document = Document("T", body=body)
    shown = excerpt(document, [Evidence("w", 1, "t", "body", start, end) for start, end in spans], limit=limit)
    assert len(str(shown)) <= limit
    assert all(piece for piece, _ in shown.parts)
