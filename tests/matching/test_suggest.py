"""Suggestions set a topic apart, say what its watches do not say yet, and can be pasted as a query."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, FieldName, Topic, Watch
from monitor.matching.query import parse_query
from monitor.matching.suggest import log_likelihood, passages, suggest


def topic(*queries: str) -> Topic:
    watches = (Watch("arctic", f"en-{number}", Language.EN, query) for number, query in enumerate(queries))
    return Topic("arctic", "climate", {"en": "Arctic"}, tuple(watches))


def documents(*bodies: str) -> list[Document]:
    return [Document(title=f"Notice {number}", body=body, language=Language.EN) for number, body in enumerate(bodies)]


PLACES = ("Halifax", "Iqaluit", "Nuuk", "Resolute", "Inuvik", "Churchill", "Nome", "Alert")
ABOUT = documents(*(f"The minister said {place} saw the Polar Icebreaker Fleet today. The Arctic." for place in PLACES))
ARCTIC = topic("arctic")
OTHERS = documents(*["The minister said the budget of the city grows today."] * 40)


def found(watches: Topic = ARCTIC, about: list[Document] = ABOUT, others: list[Document] = OTHERS) -> list[str]:
    return [suggestion.query for suggestion in suggest(watches, about, others)]


def test_the_longest_phrase_that_always_stands_together_is_suggested_as_it_is_written() -> None:
    (first, *_) = suggest(topic("arctic"), ABOUT, OTHERS)
    assert first.query == '"Polar Icebreaker Fleet"'
    assert (first.in_topic, first.elsewhere, first.example) == (8, 0, "Notice 0")
    assert first.strength > 10


def test_a_word_that_often_stands_alone_is_suggested_without_its_phrases() -> None:
    assert found(about=documents(*["Fleet sails north."] * 6, *["Fleet rests."] * 12)) == ["Fleet"]


def test_no_more_are_suggested_than_are_wanted() -> None:
    assert len(suggest(topic("nothing"), ABOUT, OTHERS, most=1)) == 1 < len(found(topic("nothing")))
    assert len(found(topic("nothing"), documents(*[", ".join("abcdefghijklmnopqrstuvwxyz")] * 8))) == 20


def test_what_a_watch_finds_already_is_left_out() -> None:
    assert not any("Arctic" in query for query in found())
    assert not any("Icebreaker" in query for query in found(topic("arctic", "icebreakers")))


def test_what_finds_items_of_another_language_leaves_nothing_out() -> None:
    french = replace(ARCTIC, watches=(*ARCTIC.watches, Watch("arctic", "fr", Language.FR, "icebreakers")))
    assert found(french) == found()


def test_the_most_telling_come_first_and_as_most_write_them() -> None:
    about = documents(*["Boats, Fleet"] * 4, "fleet", *["FLEET"] * 4)
    assert found(about=about) == ["Fleet", "Boats"]


def test_no_phrase_is_longer_than_three_words() -> None:
    queries = found(about=documents(*["Polar Icebreaker Fleet Sails"] * 8))
    assert queries == ['"Icebreaker Fleet Sails"', '"Polar Icebreaker Fleet"']


@pytest.mark.parametrize(
    ("inside", "about", "outside", "others", "suggested"),
    [
        (3, 3, 0, 40, True),
        (2, 2, 0, 40, False),
        (8, 8, 11, 44, True),  # a quarter of the others, and four times as often
        (8, 8, 11, 43, False),
        (24, 48, 15, 120, True),  # half of them, and an eighth of the others
        (24, 48, 16, 120, False),
    ],
)
def test_what_is_common_rare_or_as_frequent_elsewhere_is_not_suggested(
    inside: int, about: int, outside: int, others: int, *, suggested: bool
) -> None:
    relevant = documents(*["Fleet."] * inside, *["Snow."] * (about - inside))
    rest = documents(*["Fleet."] * outside, *["Rain."] * (others - outside))
    assert ("Fleet" in found(about=relevant, others=rest)) == suggested


@pytest.mark.parametrize(("together", "expected"), [(6, ['"Fleet sails"']), (5, ["Fleet"])])
def test_a_word_gives_way_to_the_phrase_that_three_of_four_are_in(together: int, expected: list[str]) -> None:
    about = documents(*["Fleet sails."] * together, *["Fleet."] * (8 - together), *["Sails."] * (6 - together))
    assert found(about=about)[:1] == expected


def test_common_words_begin_and_end_no_phrase() -> None:
    assert not {"the", "The", "today", "said"} & {word for query in found() for word in query.strip('"').split()[::2]}


def test_a_phrase_does_not_reach_over_punctuation() -> None:
    about = documents(*["Polar, icebreaker (fleet) sails."] * 8)
    assert found(topic("arctic"), about) == ["fleet", "icebreaker", "Polar", "sails"]


def test_every_suggestion_is_a_query() -> None:
    odd = documents(*['Operation "Nanook" and not the O-R*: C++ or U.S. G-7 l’Arctique; Москва says é.'] * 6)
    for query in found(topic("nothing"), odd):
        parse_query(query, Language.EN)
    parse_query(" OR ".join(found(topic("nothing"), odd)), Language.EN)


def test_few_items_suggest_nothing() -> None:
    assert found(about=ABOUT[:2]) == []
    assert found(about=[]) == []
    assert found(others=[]) == []


@pytest.mark.parametrize("number", [0, 1, 10, 19])
def test_of_a_long_text_only_the_passages_with_evidence_speak(number: int) -> None:
    lines = [f"Line {number} of the briefing." for number in range(20)]
    lines[number] = "Arctic ice is thin."
    body = "\n".join(lines)
    at = body.index("Arctic")
    evidence = Evidence("en", 1, "arctic", "body", at, at + 6)
    cut = passages(Document(title="Briefing", summary="Of the day", body=body), [evidence])
    assert cut.body.split("\n") == lines[max(0, number - 1) : number + 2]
    assert (cut.title, cut.summary) == ("Briefing", "Of the day")


@pytest.mark.parametrize("field", ["title", "summary"])
def test_without_evidence_in_the_body_all_of_it_speaks(field: FieldName) -> None:
    whole = Document(title="Arctic", summary="Arctic", body="One\nTwo")
    assert passages(whole, [Evidence("en", 1, "arctic", field, 0, 6)]) == whole


def test_the_ratio_is_dunnings() -> None:
    """Worked by hand: 2 x (10 ln(10/2.27) + 0 + 15 ln(15/22.73) + 85 ln(85/77.27))."""
    assert log_likelihood(10, 10, 15, 100) == pytest.approx(33.35, abs=0.05)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 500), st.integers(0, 500))
def test_the_ratio_is_zero_for_equal_shares_and_has_the_sign_of_the_difference(a: int, b: int, c: int, d: int) -> None:
    inside, all_inside, outside, all_outside = a, a + b + 1, c, c + d + 1
    ratio = log_likelihood(inside, all_inside, outside, all_outside)
    difference = inside * all_outside - outside * all_inside
    if difference == 0:
        assert ratio == pytest.approx(0, abs=1e-6)
    else:
        assert ratio * difference >= -1e-6 * abs(difference)
