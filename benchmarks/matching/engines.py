"""The contenders: each is made of watches, and then reads batches of items and says which watches are true of which.

All but the service read the words as they stand, without stems, where the results are compared (``words_of``); where
they are timed they get the texts as they are, with the stemmer that they have.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Protocol

import ahocorasick_rs
import tantivy
from watches import NEAR, Asked, watches

from monitor.core.languages import Language
from monitor.core.nouns import Document
from monitor.core.text import fold
from monitor.matching.analysis import tokens
from monitor.matching.watchlist import compile_watchlist

Hits = set[tuple[int, int]]
"""Pairs of the number of an item in its batch and the number of a watch."""


class Engine(Protocol):
    """A contender."""

    def read(self, items: Sequence[Document]) -> Hits:
        """Which watches are true of which items."""


class Monitor:
    """The service's compiled watchlist; watches in English have stems, those in any language do not."""

    def __init__(self, asked: Sequence[Asked], language: Language) -> None:
        self._watchlist = compile_watchlist(watches(asked, language))

    def read(self, items: Sequence[Document]) -> Hits:
        found = enumerate(self._watchlist.match_all(items))
        return set(chain.from_iterable(zip(repeat(number), hits.numbers, strict=False) for number, hits in found))


class Fts5:
    """SQLite: the items into an index in memory, then every query; ``MATCH`` cannot be prepared beforehand."""

    def __init__(self, asked: Sequence[Asked], tokenizer: str) -> None:
        self._queries = [_fts5(one) for one in asked]
        self._tokenizer = tokenizer

    def read(self, items: Sequence[Document]) -> Hits:
        connection = sqlite3.connect(":memory:")
        try:
            connection.execute(f"CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize='{self._tokenizer}')")
            rows = ((number, item.title, item.body) for number, item in enumerate(items))
            connection.executemany("INSERT INTO t (rowid, title, body) VALUES (?, ?, ?)", rows)
            return {
                (row[0], number)
                for number, query in enumerate(self._queries)
                for row in connection.execute("SELECT rowid FROM t WHERE t MATCH ?", (query,))
            }
        finally:
            connection.close()


def _fts5(asked: Asked) -> str:
    quoted = [f'"{part}"' for part in asked.parts]
    match asked.kind:
        case "near":
            return f"NEAR({' '.join(quoted)}, {NEAR})"
        case "not":
            return f"({quoted[0]} AND {quoted[1]}) NOT {quoted[2]}"
        case "or":
            return " OR ".join(quoted)
        case _:
            return " AND ".join(quoted)


class Tantivy:
    """tantivy: an index in memory for each batch, one writing thread, then every query, parsed beforehand."""

    def __init__(self, asked: Sequence[Asked], tokenizer: str) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("number", stored=True, fast=True)
        builder.add_text_field("text", tokenizer_name=tokenizer)
        self._schema = builder.build()
        parser = tantivy.Index(self._schema)
        self._queries = [parser.parse_query(_tantivy(one), ["text"]) for one in asked]

    def read(self, items: Sequence[Document]) -> Hits:
        index = tantivy.Index(self._schema)
        writer = index.writer(heap_size=50_000_000, num_threads=1)
        for number, item in enumerate(items):
            writer.add_document(tantivy.Document(number=number, text=[item.title, item.body]))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        searcher = index.searcher()
        most = len(items)
        return {
            (searcher.doc(address)["number"][0], number)
            for number, query in enumerate(self._queries)
            for _, address in searcher.search(query, most, count=False).hits
        }


def _tantivy(asked: Asked) -> str:
    """Its slop keeps the order of the words: a near watch asks for either order."""
    quoted = [f'"{part}"' for part in asked.parts]
    match asked.kind:
        case "near":
            one, other = asked.parts
            return f'"{one} {other}"~{NEAR} OR "{other} {one}"~{NEAR}'
        case "not":
            return f"+{quoted[0]} +{quoted[1]} -{quoted[2]}"
        case "or":
            return " OR ".join(quoted)
        case _:
            return " AND ".join(quoted)


class Regex:
    """What one would write first: for each watch its regular expressions, over the lower-case text."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked = asked
        self._patterns = [tuple(map(re.compile, _patterns(one))) for one in asked]

    def read(self, items: Sequence[Document]) -> Hits:
        return {
            (number, watch)
            for number, item in enumerate(items)
            for watch in self._true(f"{item.title}\n{item.body}".lower())
        }

    def _true(self, text: str) -> Iterator[int]:
        for number, (one, patterns) in enumerate(zip(self._asked, self._patterns, strict=True)):
            if one.kind == "not":
                true = patterns[0].search(text) and patterns[1].search(text) and not patterns[2].search(text)
            elif one.kind in {"or", "near"}:
                true = any(pattern.search(text) for pattern in patterns)
            else:
                true = all(pattern.search(text) for pattern in patterns)
            if true:
                yield number


def _patterns(asked: Asked) -> Iterator[str]:
    if asked.kind == "near":
        one, other = asked.parts
        between = rf"\W+(?:\w+\W+){{0,{NEAR}}}"
        yield rf"\b{one}\b{between}{other}\b"
        yield rf"\b{other}\b{between}{one}\b"
    else:
        yield from (rf"\b{part}\b".replace(" ", r"\W+") for part in asked.parts)


class Literals:
    """The floor: one pass over the lower-case text for every word or phrase, and nothing else."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        literals = sorted({part for one in asked for part in one.parts})
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            [literal.encode() for literal in literals], implementation=ahocorasick_rs.Implementation.ContiguousNFA
        )

    def read(self, items: Sequence[Document]) -> Hits:
        return {
            (number, literal)
            for number, item in enumerate(items)
            for literal, _, _ in self._automaton.find_matches_as_indexes(
                f"{item.title}\n{item.body}".lower().encode(), overlapping=False
            )
        }


def words_of(item: Document) -> Document:
    """The item as its words, as the service divides and folds them, so that all engines read the same words."""
    title, body = (" ".join(token.word for token in tokens(fold(text))) for text in (item.title, item.body))
    return Document(title, body=body, language=item.language)
