from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.errors import QueryError
from monitor.matching.query import MAX_LENGTH, parse_query
from monitor.matching.tree import And, Attribute, Not, Or, Words, positive_words


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("norad", "norad"),
        ("norad arctic", "norad AND arctic"),
        ("+norad -santa", "norad AND NOT santa"),
        ("norad AND NOT (santa OR reindeer)", "norad AND NOT (santa OR reindeer)"),
        ("arctic OR north dialogue", "(arctic OR north) AND dialogue"),
        ("a1 AND b1 OR c1 AND d1", "(a1 AND b1) OR (c1 AND d1)"),
        ("(a1 AND b1) AND (c1 d1)", "a1 AND b1 AND c1 AND d1"),
        ("NOT NOT norad", "norad"),
        ('"critical minerals"', '"critical minerals"'),
        ('"norad"', "norad"),
        ('"critical   mineral*"', '"critical mineral*"'),
        ('"canada minister climate"~8', '"canada minister climate"~8'),
        ('"norad"~8', "norad"),
        ('"cross-border"~8', '"cross-border"~8'),
        ("moderni*", "moderni*"),
        ("=Leaders", "=Leaders"),
        ('="Leaders Summit"', '="Leaders Summit"'),
        ("title:(norad OR nato)^2 radar^1.5", "(title:norad^2 OR title:nato^2) AND radar^1.5"),
        ("(norad^2)^3", "norad^6"),
        ('country:(CA OR US) agency:"National Defence"', '(country:CA OR country:US) AND agency:"National Defence"'),
        ("lang:FR", "lang:fr"),
        ("cross-border", "cross-border"),
        ("U.S.", "U.S."),
        ("«Sommet des leaders»", '"Sommet des leaders"'),
        ("“Leaders’ Summit”", '"Leaders’ Summit"'),
        ("\ufeffno\u2060rad", "norad"),
        (r"\"norad\"", r'"\"norad\""'),
        (r"nora\*d", '"nora d"'),
        ('"or"', '"or"'),
    ],
)
def test_a_query_is_read_and_written(query: str, canonical: str) -> None:
    parsed = parse_query(query)
    assert str(parsed) == canonical
    assert parse_query(canonical) == parsed


def test_the_tree_says_field_weight_and_form() -> None:
    root = parse_query('title:(="Three Amigos"^2 OR "canada trade"~4) source:wh -santa', Language.EN).root
    assert root == And(
        (
            Or(
                (
                    Words("Three Amigos", exact=True, field="title", weight=2),
                    Words("canada trade", near=4, field="title"),
                )
            ),
            Attribute("source", "wh"),
            Not(Words("santa")),
        )
    )
    assert [words.term for words in positive_words(root)] == ['="Three Amigos"', '"canada trade"~4']


@pytest.mark.parametrize(
    ("query", "position", "says"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("norad OR", 8, "ends too early"),
        ("(norad", 0, "not closed"),
        ("norad) x", 5, "closes nothing"),
        ('norad "missile', 6, "no partner"),
        ("norad “missile", 6, "no partner"),
        ('nora"d x"', 4, "in a word"),
        ("AND norad", 0, "AND is not expected"),
        ("norad ()", 7, ") is not expected"),
        ("/nor.*/", 0, "Regular expressions"),
        ("x [2020 TO 2021]", 2, "Ranges"),
        ("x >=2020", 2, "Comparisons"),
        ("norat~2", 0, "takes no ~"),
        ('"a b"~1.5', 5, "number after ~ or ^"),
        ("norad^1.2.3", 5, "number after ~ or ^"),
        ('"a b"~500', 0, "near within 500"),
        ("norad^0", 0, "weight of 0"),
        ("norad^200", 0, "weight of 200"),
        ("agence:x", 0, "no field agence:"),
        ("title:(body:x)", 7, "stands inside title:"),
        ("lang:de", 5, "no language of the service"),
        ('agency:"a b"~3', 7, "takes no ~"),
        ("mo*", 0, "would match too much"),
        ("*norad", 0, "A star stands elsewhere"),
        ("mod*ise", 0, "A star stands elsewhere"),
        ("wom?n", 0, "question mark"),
        ("norad or nato", 6, "meant as an operator"),
        ("norad ET nato", 6, "meant as an operator"),
        ("norad && nato", 6, "not an operator"),
        ("norad !nato", 6, "not an operator"),
        ("... norad", 0, "no word"),
        ("NOT norad", 0, "nearly everything"),
        ("-norad -nato", 0, "nearly everything"),
        ("norad OR NOT nato", 0, "nearly everything"),
        ("nor\u2060ad OR (", 10, "not closed"),
    ],
)
def test_an_error_points_at_the_character_and_says_the_remedy(query: str, position: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    assert says in str(caught.value)
    assert caught.value.position == position
    assert caught.value.remedy


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


def test_the_length_is_checked_before_parsing() -> None:
    with pytest.raises(QueryError, match="2,001 characters"):
        parse_query("(" * (MAX_LENGTH + 1))


@given(
    st.text(st.sampled_from("ab OR NOT AND \"()~^:*\\+-=.!'’“”«»[]{}<>/?&|title:lang:en\u2060\u00a0é1"), max_size=60)
)
def test_whatever_is_typed_is_read_stably_or_refused(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError as error:
        refused_at = error.position
    else:
        refused_at = 0
        assert parse_query(str(query)) == query
    assert 0 <= refused_at <= len(text)


words = st.sampled_from(
    ["norad", "WHO", "U.S.", "G-7", "l'Arctique", "cross-border", "moderni*", "or", "año", "x/y", 'a"b', "a\\b"]
)
leaves = st.builds(
    Words,
    text=words | st.lists(words, min_size=2, max_size=4).map(" ".join),
    exact=st.booleans(),
    field=st.sampled_from([None, "title", "summary", "body"]),
    weight=st.sampled_from([1.0, 2.0, 0.25]),
) | st.builds(Attribute, st.sampled_from(["source", "agency", "country", "category"]), words)


@given(
    st.recursive(
        leaves,
        lambda nodes: st.one_of(
            st.builds(And, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
            st.builds(Not, nodes),
        ),
        max_leaves=6,
    )
)
def test_what_is_written_is_read_as_the_same(root: And | Or | Not | Words | Attribute) -> None:
    query = parse_query(f"anchor AND ({root})")
    assert parse_query(str(query)) == query


def test_queries_are_parsed_by_many_threads_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    queries = [f"norad{number} AND (nato OR title:radar{number})" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        parsed = list(pool.map(parse_query, queries))
    assert [str(query) for query in parsed] == queries
