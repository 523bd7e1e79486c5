from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.errors import QueryError
from monitor.matching.query import parse_query
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
        ("=Xenon", "=Xenon"),
        ('="Leaders Summit"', '="Leaders Summit"'),
        ("title:(norad OR nato)^2 radar^1.5", "(title:norad^2 OR title:nato^2) AND radar^1.5"),
        ("(norad^2)^3", "norad^6"),
        ("norad^1.234", "norad^1.23"),
        ("norad^.5", "norad^0.5"),
        ("norad^0.006", "norad^0.01"),
        ('country:(CA OR US) agency:"National Defence"', '(country:CA OR country:US) AND agency:"National Defence"'),
        ("lang:FR", "lang:fr"),
        ("cross-border", "cross-border"),
        ("U.S.", "U.S."),
        ("«Sommet des leaders»", '"Sommet des leaders"'),
        ("“Leaders’ Summit”", '"Leaders’ Summit"'),
        ("\ufeffno\u2060rad", "norad"),
        (r"\"norad\"", r'"\"norad\""'),
        (r"nora\*d", '"nora d"'),
        (r'"a1\\b1"', r'"a1\\b1"'),
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
