"""The compiled watchlist agrees with a slow evaluator that does the plainest thing that could be right.

The reference tokenises the whole text for every word of every query, tries every position and every window, and
knows nothing of numbers, indexes, batches or remembered chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.core.nouns import Document, FieldName, Watch
from monitor.errors import QueryError
from monitor.matching.analysis import Token, stem, tokens
from monitor.matching.query import parse_query
from monitor.matching.tree import And, Attribute, Node, Not, Or, Words
from monitor.matching.watchlist import MAX_EVIDENCE, compile_watchlist

FIELDS: tuple[FieldName, ...] = ("title", "summary", "body")


def answers(word: Token, query: str, asked: Token, language: Language, *, exact: bool) -> bool:
    """Whether a word of a text is what a word of a query asks for."""
    if asked.capitals and not word.capitals:
        return False
    if query[asked.end :].startswith("*"):
        return word.word.startswith(asked.word)
    if exact or asked.capitals or language is Language.ANY:
        return word.word == asked.word
    return stem(word.word, language) == stem(asked.word, language)


def places(words: Words, document: Document, language: Language) -> Iterator[tuple[FieldName, int, int]]:
    """Every place of a leaf: each phrase, or each window that holds no smaller one."""
    asked = list(tokens(words.text))
    for field in [words.field] if words.field else FIELDS:
        text = list(tokens(getattr(document, field)))

        def there(first: int, last: int, text: list[Token] = text) -> bool:
            window = text[first : last + 1]
            if words.near is None:
                return len(window) == len(asked) and all(
                    answers(w, words.text, a, language, exact=words.exact) for w, a in zip(window, asked, strict=True)
                )
            return len(window) <= len(asked) + words.near and all(
                any(answers(w, words.text, a, language, exact=words.exact) for w in window) for a in asked
            )

        windows = [(a, b) for a in range(len(text)) for b in range(a, len(text)) if there(a, b)]
        for a, b in windows:
            if not any(a <= c and d <= b and (c, d) != (a, b) for c, d in windows):
                yield field, text[a].start, text[b].end


def says(attribute: Attribute, document: Document) -> bool:
    values = {
        "source": [document.source],
        "agency": [document.agency],
        "country": [document.country],
        "lang": [document.language or ""],
        "category": list(document.categories),
    }[attribute.name]
    asked = list(tokens(attribute.text))
    for value in values:
        words = list(tokens(value))
        for start in range(len(words) - len(asked) + 1):
            if all(
                w.word.startswith(a.word) if attribute.text[a.end :].startswith("*") else w.word == a.word
                for w, a in zip(words[start:], asked, strict=False)
            ):
                return True
    return False


def holds(node: Node, document: Document, language: Language) -> bool:
    match node:
        case Words():
            return any(places(node, document, language))
        case Attribute():
            return says(node, document)
        case Not(child):
            return not holds(child, document, language)
        case And(nodes):
            return all(holds(child, document, language) for child in nodes)
        case Or(nodes):
            return any(holds(child, document, language) for child in nodes)


def evidence(node: Node, document: Document, language: Language) -> Iterator[tuple[int, int, int, str]]:
    match node:
        case Words():
            for field, start, end in places(node, document, language):
                yield FIELDS.index(field), start, end, node.term
        case And(nodes) | Or(nodes):
            for child in nodes:
                if holds(child, document, language):
                    yield from evidence(child, document, language)


def expected(watch: Watch, document: Document) -> list[tuple[FieldName, int, int, str]] | None:
    """The evidence that a watch must give, or None where it must not match."""
    root = parse_query(watch.query, watch.language).root
    if document.language and watch.language not in {document.language, Language.ANY}:
        return None
    if not holds(root, document, watch.language):
        return None
    found = sorted(set(evidence(root, document, watch.language)))
    if not found and document.title:
        found = [(0, 0, len(document.title), watch.query)]
    return [(FIELDS[field], start, end, term) for field, start, end, term in found][:MAX_EVIDENCE]


FAMILIES = [
    "summit summits SUMMIT sum\u00admit sum\u2060mits summ* SUMM*",
    "Leaders’ leader's LEADER'S leaders leader*",
    "modern modernize modernisation moder* modern*",
    "defence defense",
    "WHO who W.H.O. WHO*",
    "U.S. US us U.S.'s",
    "NDCs NDC ndc",
    "G-7 G7 g7 G20",
    "l’Arctique l'arctique Arctique arct* L’ARCTIQUE",
    "sécurité securite Sécurités sec*",
    "minéraux minerales mineral minera*",
    "América America american amer*",
    "cross-border cross border",
    "net-zero net zero 1.5 5",
    "happy happiness happ*",
    "œuvre oeuvre",
]
"""Each example takes its words from a few of these, so that queries are often true and often nearly so."""

GLUE = [" ", " ", " ", " ", ", ", ". ", "\u00a0", "\n", "-", "’", "(", "\u2060"]
ATTRIBUTES = ["ca-news", "us", "Défense nationale", "national defence", ""]


def texts(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(st.tuples(words, st.sampled_from(GLUE)), max_size=8)
    return parts.map(lambda pairs: "".join(chain.from_iterable(pairs)))


def documents(words: st.SearchStrategy[str]) -> st.SearchStrategy[Document]:
    return st.builds(
        Document,
        title=texts(words),
        summary=texts(words),
        body=texts(words),
        source=st.sampled_from(ATTRIBUTES),
        agency=st.sampled_from(ATTRIBUTES),
        country=st.sampled_from(["CA", "US"]),
        language=st.sampled_from([None, Language.EN, Language.FR, Language.ES]),
        categories=st.lists(st.sampled_from(ATTRIBUTES), max_size=2).map(tuple),
    )


def queries(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    phrases = st.lists(words, min_size=1, max_size=3).map(lambda parts: f'"{" ".join(parts)}"')
    leaves = st.one_of(
        words,
        words.map("={}".format),
        phrases,
        phrases.map("={}".format),
        st.builds("{}~{}".format, phrases, st.integers(0, 3)),
        st.builds("{}:{}".format, st.sampled_from(FIELDS), phrases),
        st.sampled_from(
            ["source:ca*", 'agency:"defense nat*"', "agency:defence", "country:CA", "lang:en", "category:us"]
        ),
    )
    return st.recursive(
        leaves,
        lambda nodes: st.one_of(
            st.builds("({} AND {})".format, nodes, nodes),
            st.builds("({} OR {})".format, nodes, nodes),
            st.builds("({} AND NOT {})".format, nodes, nodes),
            st.builds("({} {} -{})".format, nodes, nodes, nodes),
        ),
        max_leaves=5,
    ).filter(understood)


def understood(query: str) -> bool:
    try:
        parse_query(query)
    except QueryError:
        return False
    return True


@st.composite
def examples(draw: st.DrawFn) -> tuple[list[Watch], list[Document]]:
    families = draw(st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=3, unique=True))
    words = st.sampled_from(" ".join(families).split())
    asked = draw(st.lists(st.tuples(queries(words), st.sampled_from(Language)), min_size=1, max_size=4))
    watches = [Watch("topic", str(number), language, query) for number, (query, language) in enumerate(asked)]
    return watches, draw(st.lists(documents(words), min_size=1, max_size=3))


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(examples())
def test_a_watchlist_agrees_with_the_reference(example: tuple[list[Watch], list[Document]]) -> None:
    """A match that the index loses, or that it should not let through, shows here; and so does wrong evidence."""
    watches, batch = example
    for document, found in zip(batch, compile_watchlist(watches).match_all(batch), strict=True):
        hits = {hit.watch: hit.evidence for hit in found}
        for watch in watches:
            got = [(e.field, e.start, e.end, e.term) for e in hits[watch]] if watch in hits else None
            assert got == expected(watch, document), watch.query
