"""Queries that are refused: the words of each error, the character that it points at, and how much is too much."""

from __future__ import annotations

import time

import pytest

from monitor.errors import QueryError
from monitor.matching.query import parse_query

ERRORS = {
    "The query is empty. Write the words to watch for.": {"": 0, "  ": 0},
    "The query ends too early. Write a word after the last operator.": {"norad OR": 8},
    "This parenthesis is not closed. Add a closing one.": {
        "(norad": 0,
        "((norad)": 0,
        "(a1) (b1": 5,
        "nor\u2060ad OR (": 10,
    },
    "This parenthesis closes nothing. Remove it, or open one before.": {"norad) x": 5, "x (norad)) y": 9},
    'This quotation mark has no partner. Put the phrase in "…".': {'norad "missile': 6, "norad “missile": 6},
    "A quotation mark stands in a word. Put a space before the phrase.": {
        'nora"d x"': 4,
        'nora"d"x': 4,
        r'a\"b"c d"': 4,
    },
    'AND is not expected here. Put phrases, and signs that are meant as words, in "…".': {"AND norad nato": 0},
    ') is not expected here. Put phrases, and signs that are meant as words, in "…".': {"norad ()": 7},
    ']averyverylongwordin is not expected here. Put phrases, and signs that are meant as words, in "…".': {
        "norad AND ]averyverylongwordindeed nato radar": 10
    },
    "Regular expressions are not understood. Write the forms with OR, or moderni*.": {"/nor.*/": 0},
    "Ranges are not understood. Choose the dates outside the query.": {"x [2020 TO 2021]": 2},
    "Comparisons are not understood. Choose the dates outside the query.": {"x >=2020": 2, "x <=2020": 2},
    'A word takes no ~. Only a phrase does: "two words"~5. For word forms write moderni*.': {"norat~2": 0},
    'A number after ~ or ^ cannot be read. Write "two words"~5 or word^2.': {
        '"a b"~1.5 "a b"~5': 5,
        '"a b"~ 5': 5,
        '"a b" ~x': 6,
        "norat~0.5": 5,
        "norad^1.2.3 nato^2": 5,
        "norad^high": 5,
        "norad^-1": 5,
        "norad^.": 5,
        'nora"d^. x"': 6,
        'nora"d~. x"': 6,
    },
    (
        "There is no field agence:. The fields are title:, summary:, body:, source:, agency:, country:, "
        'lang:, category:. Or put it in "…".'
    ): {"norad agence:x": 6, "agence:(x y)": 0},
    (
        "There is no field averyverylongfieldna:. The fields are title:, summary:, body:, source:, agency:, country:, "
        'lang:, category:. Or put it in "…".'
    ): {"averyverylongfieldname:x": 0},
    "A weight of 200 is out of bounds. Write 0.01 to 100.": {"norad^200": 0},
    "body: stands inside title:. Close the field before, or remove one.": {"title:(body:x)": 7},
    "title: stands inside source:. Close the field before, or remove one.": {"x source:(w1 title:z)": 13},
    "de is no language of the service. Write lang:en, lang:fr or lang:es.": {"x lang:de": 7},
    "averyverylongfieldna is no language of the service. Write lang:en, lang:fr or lang:es.": {
        "lang:averyverylongfieldnameindeed": 5
    },
    'agency: takes no ~. Write agency:"all the words in order".': {'agency:"a b"~3': 7},
    "There is no word in this. Write letters or digits.": {"source:...": 7, "... norad": 0},
    "mo* would match too much. Write at least 3 letters before the star.": {"mo*": 0, 'x "a1 mo*"': 2},
    "A star stands elsewhere than after a word. Write moderni*.": {"*norad": 0, "mod*ise": 0, '"mod*i se"': 0},
    "A question mark stands for no letter here. Write the forms with OR.": {"wom?n": 0},
    (
        "or may be meant as an operator. "
        'The operators are AND, OR and NOT, in capitals. Write "or" where you mean the word.'
    ): {"norad or nato": 6},
    (
        "ET may be meant as an operator. "
        'The operators are AND, OR and NOT, in capitals. Write "ET" where you mean the word.'
    ): {"norad ET nato": 6},
    "&& is not an operator here. Write AND, OR or NOT.": {"norad && nato": 6},
    "|| is not an operator here. Write AND, OR or NOT.": {"norad || nato": 6},
    "!nato is not an operator here. Write AND, OR or NOT.": {"norad !nato": 6},
    "!averyverylongfieldn is not an operator here. Write AND, OR or NOT.": {"!averyverylongfieldnameindeed": 0},
    (
        "The query would match nearly everything. "
        "Give every alternative a word that must be found, as in norad NOT santa."
    ): {"NOT norad": 0, "-norad -nato": 0, "norad OR NOT nato": 0},
}


@pytest.mark.parametrize(
    ("query", "position", "advice"),
    [(query, position, advice) for advice, queries in ERRORS.items() for query, position in queries.items()],
)
def test_an_error_points_at_the_character_and_says_the_remedy(query: str, position: int, advice: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    assert str(caught.value.advice) == advice
    assert caught.value.position == position


def nested(levels: int) -> str:
    """A query of so many levels: ``a1 AND (a2 OR (a3 AND a4))`` has four."""
    query = f"a{levels}"
    for level in range(levels - 1, 0, -1):
        query = f"a{level} {'AND' if level % 2 else 'OR'} ({query})"
    return query


LIMITS = {
    "characters": (
        "x" * 2_000,
        "x" * 2_001,
        "The query has 2,001 characters; 2,000 are allowed (at character 2001). Make several watches of it.",
    ),
    "characters as written": (
        "x " + "z" * 1_994,
        "x " + "z" * 1_995,
        (
            "The query is too long once its fields and weights are written at each word (at character 1998). "
            "Make several watches of it."
        ),
    ),
    "words": (
        "ab " * 200,
        "ab " * 201,
        "The query has more than 200 words or 20 stars (at character 601). Make several watches of it.",
    ),
    "words of phrases": (
        '"ab cd" ' * 100,
        '"ab cd" ' * 100 + "x",
        "The query has more than 200 words or 20 stars (at character 801). Make several watches of it.",
    ),
    "stars": (
        "abc* " * 20,
        "abc* " * 21,
        "The query has more than 200 words or 20 stars (at character 101). Make several watches of it.",
    ),
    "levels": (
        nested(20),
        nested(21),
        "The query is nested too deeply (at character 1). 20 levels are allowed.",
    ),
    "levels of negation": (
        "a1 -(" * 9 + "a1" + ")" * 9,
        "a1 -(" * 10 + "a1" + ")" * 10,
        "The query is nested too deeply (at character 1). 20 levels are allowed.",
    ),
    "levels of nothing": (
        "(" * 100 + "x" + ")" * 100,
        "(" * 101 + "x" + ")" * 101,
        "The query is nested too deeply (at character 101). 20 levels are allowed.",
    ),
    "words between": (
        '"a b"~100',
        '"a b"~101',
        "Words cannot be near within 101 (at character 1). The most is ~100.",
    ),
    "the largest weight": (
        "(norad^50)^2",
        "norad^100.01",
        "A weight of 100.01 is out of bounds (at character 1). Write 0.01 to 100.",
    ),
    "the smallest weight": (
        "norad^0.006",
        "norad^0.004",
        "A weight of 0.004 is out of bounds (at character 1). Write 0.01 to 100.",
    ),
}


@pytest.mark.parametrize(("most", "more", "says"), LIMITS.values(), ids=LIMITS)
def test_a_query_may_be_as_large_as_its_limits_and_no_larger(most: str, more: str, says: str) -> None:
    query = parse_query(most)
    assert parse_query(str(query)) == query
    with pytest.raises(QueryError) as caught:
        parse_query(more)
    assert str(caught.value) == says


HOSTILE = {
    "a megabyte": "norad " * 170_000,
    "nested parentheses": "(" * 10_000 + "norad" + ")" * 10_000,
    "nested parentheses within the length": "(" * 900 + "norad" + ")" * 900,
    "a thousand wildcards": "mode* " * 1_000,
    "wildcards within the length": "mode* OR " * 200 + "mode*",
    "words within the length": "ab OR " * 300 + "ab",
    "nested negations": "NOT " * 400 + "norad",
    "nested groups within the nesting": "(" * 24 + "a1" + " OR b1) AND c1" * 12 + " OR b1)" * 12,
    "nested signs": "+" * 1_900 + "norad",
    "nested fields": "title:" * 300 + "norad",
    "nested weights": "norad" + "^2" * 900,
    "unbalanced quotes": '"' * 1_999,
    "unbalanced typographic quotes": "“" * 1_999,
    "backslashes": "\\" * 1_999,
    "a long number": '"a b"~' + "9" * 1_900,
    "a long weight": "a^" + "9" * 1_900,
    "fields that multiply": "summary:(" + "abc OR " * 150 + "abc)",
    "alternating operators": "a AND (b OR (" * 100 + "c" + "))" * 100,
    "a surrogate": "\ud800",
    "only stars": "*" * 500,
    "control characters": "\x00" * 50,
}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_query_is_refused_at_once(query: str) -> None:
    started = time.thread_time()
    with pytest.raises(QueryError):
        parse_query(query)
    assert time.thread_time() - started < 0.5, "measured below 0.02 s of processor time"
