"""The full-text index of the archive: which items *may* hold what a query asks for.

An item is filed under its terms: its distinct words, as matching reads them, and their stems in its language. So the
index knows no place and no order, is small (13 MB for 8,800 releases of 1,500 words), and is made of the same words
that the engine compares. It may name an item too many, never one too few: the engine has the last word.

SQLite keeps the terms in a contentless FTS5 table. Before 3.43 such a table forgets a row only if one spells out to it
what is in it; filed again, a row has its old terms and the new ones, as a test makes sure. So an item that was
revised is found by words that it has lost, too. PostgreSQL keeps the terms as a ``tsvector``. Either is filled in
the transaction that writes the items: whoever writes their texts calls ``index_items``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import Any

from sqlalchemy import ColumnElement, TextClause, column, func, text
from sqlmodel import Session, col, select

from monitor.core.languages import READER_LANGUAGES, Language, primary_language
from monitor.matching.analysis import patterns, stem, words_of
from monitor.matching.query import Query
from monitor.matching.tree import And, Attribute, Node, Not, Or, Words
from monitor.store.tables import ItemRow

INDEX = "item_index"
"""The name of the table; SQLite adds tables of its own whose names begin with it."""

_IN_BATCH = 500

_LONGEST = 40  # characters of a term; what is longer is cut, in the index and in what is asked of it
_MOST = 20_000  # terms of an item: a tsvector holds a megabyte
_OVERFULL = "0overfull"
"""The one term of an item that has too many: every query asks for it as well."""


def is_modelled(name: str | None, kind: str, _: object) -> bool:
    """Whether Alembic shall compare something with the models: no model describes the tables of the index."""
    return kind != "table" or not (name or "").startswith(INDEX)


# ---- filling it ----------------------------------------------------------------------------------------------------


def index_items(session: Session, ids: Sequence[int]) -> None:
    """File the named items under the terms of their latest revision, in the session's transaction."""
    columns = (ItemRow.id, ItemRow.language, ItemRow.title, ItemRow.summary, ItemRow.body)
    for start in range(0, len(ids), _IN_BATCH):
        some = col(ItemRow.id).in_(ids[start : start + _IN_BATCH])
        found = session.exec(select(*columns).where(some).order_by(col(ItemRow.id)))  # type: ignore[call-overload]  # five columns
        index_texts(session, found)


def index_texts(session: Session, texts: Iterable[Sequence[Any]]) -> None:
    """File items under the terms of their texts, in the session's transaction.

    Args:
        session: An open writing transaction.
        texts: Of each item its id, its language, and the texts of its latest revision.
    """
    rows = [_index_row(*text) for text in texts]
    if rows:
        session.connection().execute(_engine(session).insert, rows)


def reindex(session: Session, progress: Callable[[int, int], None] | None = None) -> int:
    """File every item anew, as after a change of how words are read; the number of items.

    Args:
        session: An open writing transaction.
        progress: Called with what is done and how many items there are.
    """
    session.connection().execute(_engine(session).clear)
    ids = [item_id for item_id in session.exec(select(ItemRow.id).order_by(col(ItemRow.id))) if item_id is not None]
    for start in range(0, len(ids), _IN_BATCH):
        index_items(session, ids[start : start + _IN_BATCH])
        if progress:
            progress(min(start + _IN_BATCH, len(ids)), len(ids))
    return len(ids)


def _index_row(item_id: int, language: str, *texts: str) -> dict[str, Any]:
    terms = list(item_terms(texts, primary_language(language)))
    return {"item": item_id, "list": terms, "text": " ".join(terms)}


def item_terms(texts: Iterable[str], language: Language | None) -> set[str]:
    """The terms of an item; one of unknown language has the stems of all languages, as all watches read it."""
    chunks = set(map(str.strip, set(" ".join(texts).split()), repeat(_EDGES)))
    found = set(chain.from_iterable(map(_TERMS[language].__getitem__, chunks)))
    return found if len(found) <= _MOST else {_OVERFULL}


_EDGES = ',;:!?()"“”'
"""Signs that never belong to a word: without them, an archive has half as many different chunks to read."""


class _Terms(dict[str, tuple[str, ...]]):
    """The terms of a chunk between white space, each worked out once: 8,800 releases have 115,000 chunks."""

    _REMEMBERED = 1 << 17

    def __init__(self, languages: Sequence[Language]) -> None:
        self._languages = languages

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        words = {word for word, _ in words_of(chunk)}
        stems = {stem(word, language) for word in words for language in self._languages}
        if len(self) >= self._REMEMBERED:
            self.clear()
        terms = self[chunk] = tuple(map(_spelled, words | stems))
        return terms


_TERMS: dict[Language | None, _Terms] = {None: _Terms(READER_LANGUAGES)}
_TERMS |= {language: _Terms((language,)) for language in READER_LANGUAGES}


def _spelled(word: str) -> str:
    """A word in letters and digits that SQLite and PostgreSQL are sure to take as one; prefixes stay prefixes."""
    return (word if word.isascii() else "x" + word.encode().hex())[:_LONGEST]


# ---- asking it -----------------------------------------------------------------------------------------------------


def find_candidates(
    session: Session, queries: Iterable[Query], since: datetime, *, language: Language = Language.ANY
) -> list[tuple[int, datetime]]:
    """The items of which one of the queries may be true; the newest first.

    Where a query asks for no word that must be there (``country:CA``), those are all items.

    Args:
        session: An open transaction.
        queries: What is asked.
        since: Only items first seen since this time, aware UTC.
        language: Leave out the items that watches of this language do not read.

    Returns:
        The id of each item and when it was first seen.
    """
    unread = [] if language is Language.ANY else [other for other in READER_LANGUAGES if other is not language]
    wanted = select(ItemRow.id, ItemRow.first_seen_at).where(ItemRow.first_seen_at >= since)
    wanted = wanted.where(col(ItemRow.language).not_in(unread), *may_hold(session, queries))
    ordered = wanted.order_by(col(ItemRow.first_seen_at).desc(), col(ItemRow.id).desc())
    return [(item_id, seen) for item_id, seen in session.exec(ordered) if item_id is not None]


def may_hold(session: Session, queries: Iterable[Query]) -> list[ColumnElement[bool]]:
    """What holds of each item of which one of the queries may be true; nothing where that is every item."""
    engine = _engine(session)
    asked = [_condition(query.root, query.language, engine) for query in queries]
    if not all(asked):
        return []
    condition = engine.either.join([*map(_grouped, asked), engine.term(_OVERFULL)])
    return [col(ItemRow.id).in_(engine.search.bindparams(asked=condition))]


def items_with_words(session: Session, text: str) -> Any:
    """The ids of the items that hold all words of a text, as a query to be part of another; None where it has none.

    A word may end in a star. Words count as they are written, without their other forms.
    """
    engine = _engine(session)
    words = list(_asked(Words(text), Language.ANY, engine))
    if not words:
        return None
    asked = engine.either.join([_grouped(engine.both.join(words)), engine.term(_OVERFULL)])
    return engine.search.bindparams(asked=asked).columns(column("id"))


def _condition(node: Node, language: Language, engine: _Engine) -> str:
    """What the index must hold for ``node`` to be true of an item; empty where that is nothing."""
    match node:
        case Words():
            return engine.both.join(_asked(node, language, engine))
        case And(nodes):
            parts = [_condition(child, language, engine) for child in nodes]
            return engine.both.join(_grouped(part) for part in parts if part)
        case Or(nodes):
            parts = [_condition(child, language, engine) for child in nodes]
            return engine.either.join(map(_grouped, parts)) if all(parts) else ""
        case Not() | Attribute():
            return ""


def _asked(words: Words, language: Language, engine: _Engine) -> Iterator[str]:
    for pattern in patterns(words.text, language, exact=words.exact):
        yield engine.term(_spelled(pattern.form)) + (engine.prefix if pattern.kind == "prefix" else "")


def _grouped(condition: str) -> str:
    return f"({condition})"


# ---- the two databases ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Engine:
    """How one kind of database is filled and asked."""

    insert: TextClause
    clear: TextClause
    search: TextClause
    both: str
    either: str
    prefix: str
    quote: str

    def term(self, term: str) -> str:
        return f"{self.quote}{term}{self.quote}"


_SQLITE = _Engine(
    insert=text(f"INSERT INTO {INDEX} (rowid, terms) VALUES (:item, :text)"),  # noqa: S608 - a name of ours
    clear=text(f"INSERT INTO {INDEX} ({INDEX}) VALUES ('delete-all')"),  # noqa: S608 - as above
    search=text(f"SELECT rowid AS id FROM {INDEX} WHERE {INDEX} MATCH :asked"),  # noqa: S608 - as above
    both=" AND ",
    either=" OR ",
    prefix="*",
    quote='"',
)
_POSTGRESQL = _Engine(
    insert=text(
        f"INSERT INTO {INDEX} (item_id, terms) VALUES (:item, array_to_tsvector(CAST(:list AS text[])))"  # noqa: S608 - as above
        " ON CONFLICT (item_id) DO UPDATE SET terms = excluded.terms"
    ),
    clear=text(f"DELETE FROM {INDEX}"),  # noqa: S608 - as above
    search=text(f"SELECT item_id AS id FROM {INDEX} WHERE terms @@ CAST(:asked AS tsquery)"),  # noqa: S608 - as above
    both=" & ",
    either=" | ",
    prefix=":*",
    quote="'",
)


def _engine(session: Session) -> _Engine:
    return _SQLITE if session.get_bind().dialect.name == "sqlite" else _POSTGRESQL


def newest_id(session: Session) -> int:
    """The id of the item stored last; 0 where there is none."""
    return session.exec(select(func.max(ItemRow.id))).one() or 0
