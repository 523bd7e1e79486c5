"""Items and their revisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import bindparam, func, insert, literal, update
from sqlmodel import Session, col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from monitor.core.languages import primary_language
from monitor.core.nouns import Document, Entry
from monitor.store.archive import index_items, index_texts, newest_id
from monitor.store.tables import ItemRow, RevisionRow, SourceRow
from monitor.store.upsert import insert_values

_IN_BATCH = 500

WANTED = "wanted"
"""The article state of an item whose page is still to be read for its text."""

_FULL_TEXT = 1_500
"""A summary of so many characters is the text itself: some feeds have no other field for it."""


@dataclass(frozen=True, slots=True)
class KnownItem:
    """What is needed of a stored item to tell whether an entry is new, changed or the same."""

    id: int
    key: str
    url: str
    content_hash: str
    revision: int
    fingerprint: str
    published_at: datetime | None
    missed_at: datetime | None


Fingerprints = Mapping[str, str]
"""How entries are written, by key: an item whose fingerprint is the same need not be read again."""

_NONE: Fingerprints = MappingProxyType({})


def find_known(session: Session, source_id: int, *, keys: Sequence[str], latest: int) -> list[KnownItem]:
    """The items of a source that were stored last, and those of the keys that are not among them."""
    found = [KnownItem(*row) for row in session.connection().execute(_LATEST, {"source": source_id, "latest": latest})]
    missing = sorted(set(keys) - {item.key for item in found}) if len(found) == latest else []
    for start in range(0, len(missing), _IN_BATCH):
        asked = {"source": source_id, "keys": missing[start : start + _IN_BATCH]}
        found += [KnownItem(*row) for row in session.connection().execute(_BY_KEY, asked)]
    return found


_COLUMNS: Any = [getattr(ItemRow, field.name) for field in fields(KnownItem)]
_KNOWN = select(*_COLUMNS).where(col(ItemRow.source_id) == bindparam("source"))
_LATEST = _KNOWN.order_by(col(ItemRow.id).desc()).limit(bindparam("latest"))
_BY_KEY = _KNOWN.where(col(ItemRow.key).in_(bindparam("keys", expanding=True)))


@dataclass(frozen=True, slots=True)
class NewEntries:
    """Entries that a visit to a source found and the store does not know; ``at`` is when, in aware UTC."""

    source_id: int
    language: str
    entries: Sequence[Entry]
    at: datetime
    fingerprints: Fingerprints = field(default_factory=lambda: _NONE)


def insert_entries(session: Session, source_id: int, language: str, entries: Sequence[Entry], now: datetime) -> int:
    """Store entries of one source as new items; the number that were new."""
    return len(insert_found(session, [NewEntries(source_id, language, entries, now)]).get(source_id, ()))


def insert_found(session: Session, found: Sequence[NewEntries]) -> Mapping[int, Sequence[int]]:
    """Store entries of any number of sources as new items; the ids of those that were new, by source.

    An item of the same (source, key) stays as it is. All come in one statement: one for each source takes 2 ms more.
    """
    rows = _new_rows(found)
    if not rows:
        return {}
    last = newest_id(session)
    columns = tuple(next(iter(rows.values())))
    insert_values(session, ItemRow, columns, (row.values() for row in rows.values()))
    stored = select(ItemRow.id, ItemRow.source_id, ItemRow.key).where(col(ItemRow.id) > last)
    ids = {(source_id, key): item_id for item_id, source_id, key in session.connection().execute(stored)}
    ours = [(ids[name], row) for name, row in rows.items() if name in ids]
    index_texts(session, [(item_id, *(row[name] for name in _TEXTS)) for item_id, row in ours])
    inserted: dict[int, list[int]] = defaultdict(list)
    for item_id, row in ours:
        inserted[row["source_id"]].append(item_id)
    return inserted


def _new_rows(found: Iterable[NewEntries]) -> dict[tuple[int, str], dict[str, Any]]:
    """The rows of entries, by source and key; of several entries with one key the first counts."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for one in found:
        for entry in one.entries:
            rows.setdefault((one.source_id, entry.key), _new_row(one, entry))
    return rows


_TEXTS = ("language", "title", "summary", "body")


def _new_row(found: NewEntries, entry: Entry) -> dict[str, Any]:
    return {
        **_content(entry, found.fingerprints),
        "source_id": found.source_id,
        "key": entry.key,
        "language": entry.language.value if entry.language else found.language,
        "first_seen_at": found.at,
        "revised_at": found.at,
        "revision": 1,
        "matched_revision": 0,
        "article_state": WANTED if _is_only_summary(entry) else "none",
        "article_hash": "",
        "canonical_url": "",
    }


def revise_items(
    session: Session, changes: Mapping[int, Entry], now: datetime, *, fingerprints: Fingerprints = _NONE
) -> None:
    """Keep the text of each item, by its id, as a revision and put the entry's text in its place."""
    for item_id, entry in changes.items():
        values = _content(entry, fingerprints)
        if _is_only_summary(entry):
            del values["body"]  # what was read from the page stays until the page has been read again
            values["article_state"] = WANTED
        else:
            values |= {"article_state": "none", "article_fetched_at": None, "article_hash": ""}
        _revise(session, item_id, values, now)
    index_items(session, list(changes))


_KEPT = ("title", "summary", "body", "published_at", "content_hash")


def _revise(session: Session, item_id: int, values: Mapping[str, Any], now: datetime) -> None:
    copied: Any = select(
        col(ItemRow.id).label("item_id"),
        col(ItemRow.revision).label("number"),
        col(ItemRow.revised_at).label("seen_at"),
        literal(now, UTCDateTime()).label("replaced_at"),
        *(col(getattr(ItemRow, name)) for name in _KEPT),
    ).where(ItemRow.id == item_id)
    columns = ["item_id", "number", "seen_at", "replaced_at", *_KEPT]
    session.connection().execute(insert(RevisionRow).from_select(columns, copied))
    revised = {**values, "revision": ItemRow.revision + 1, "revised_at": now}
    session.connection().execute(update(ItemRow).where(col(ItemRow.id) == item_id).values(revised))


def doubt_items(session: Session, item_ids: Sequence[int], now: datetime) -> None:
    """Note that a source leaves items out that should still be there; whether their pages are is looked up once."""
    if item_ids:
        doubted = update(ItemRow).where(col(ItemRow.id).in_(item_ids), col(ItemRow.url) != "")
        session.connection().execute(doubted.values(missed_at=now, article_state=WANTED))


def welcome_items(session: Session, item_ids: Sequence[int]) -> None:
    """Note that a source shows items again that it had left out."""
    if item_ids:
        shown = update(ItemRow).where(col(ItemRow.id).in_(item_ids))
        session.connection().execute(shown.values(missed_at=None, withdrawn_at=None))


def withdraw_item(session: Session, item_id: int, now: datetime) -> None:
    """Note that an item's source has taken it back: it is left out, and its page is gone. That is a revision."""
    _revise(session, item_id, {"withdrawn_at": now}, now)


def rekey_items(session: Session, changes: Mapping[int, Entry], *, fingerprints: Fingerprints) -> None:
    """Give items, by their ids, the keys under which the source now shows them; their text stays."""
    for item_id, entry in changes.items():
        values = {"key": entry.key, "url": entry.url, "fingerprint": fingerprints.get(entry.key, "")}
        session.connection().execute(update(ItemRow).where(col(ItemRow.id) == item_id).values(values))


def note_fingerprints(session: Session, fingerprints: Mapping[int, str]) -> None:
    """Note how items are written now that say what they said before."""
    rows = [{"item": item_id, "fingerprint": fingerprint} for item_id, fingerprint in fingerprints.items()]
    if rows:
        session.connection().execute(update(ItemRow).where(col(ItemRow.id) == bindparam("item")), rows)


def _is_only_summary(entry: Entry) -> bool:
    return bool(entry.url) and not entry.body and len(entry.summary) < _FULL_TEXT


def unmatched_ids(session: Session, *, limit: int | None = None, seen_after: datetime | None = None) -> list[int]:
    """Items whose latest revision no watchlist has seen yet, oldest first."""
    query = select(ItemRow.id).where(col(ItemRow.matched_revision) < col(ItemRow.revision))
    if seen_after is not None:
        query = query.where(ItemRow.first_seen_at >= seen_after)
    return [row for row in session.exec(query.order_by(col(ItemRow.id)).limit(limit)) if row is not None]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """An item as matching needs it, with the revision that was read."""

    item_id: int
    revision: int
    document: Document


def load_documents(session: Session, ids: Sequence[int]) -> list[StoredDocument]:
    """The named items as documents, in the order of their ids."""
    columns = (
        ItemRow.id,
        ItemRow.revision,
        ItemRow.title,
        ItemRow.summary,
        ItemRow.body,
        ItemRow.language,
        ItemRow.categories,
        SourceRow.slug,
        SourceRow.agency,
        SourceRow.country,
    )
    joined = select(*columns).join(SourceRow, col(SourceRow.id) == col(ItemRow.source_id))  # type: ignore[call-overload]  # ten columns
    rows = session.exec(joined.where(col(ItemRow.id).in_(ids)).order_by(col(ItemRow.id)))
    return [StoredDocument(row.id, row.revision, document_of(row._mapping)) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def count_items(session: Session, since: datetime) -> int:
    """How many items were first seen since a time."""
    return session.exec(select(func.count()).select_from(ItemRow).where(ItemRow.first_seen_at >= since)).one()


def document_of(row: Mapping[str, Any]) -> Document:
    """The document that a row with an item's text and its source's slug, agency and country stands for."""
    return Document(
        title=row["title"],
        summary=row["summary"],
        body=row["body"],
        source=row["slug"],
        agency=row["agency"],
        country=row["country"],
        language=primary_language(row["language"]),
        categories=tuple(row["categories"]),
    )


def _content(entry: Entry, fingerprints: Fingerprints) -> dict[str, Any]:
    return {
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "body": entry.body,
        "categories": list(entry.categories),
        "published_at": entry.published_at,
        "content_hash": entry.content_hash,
        "fingerprint": fingerprints.get(entry.key, ""),
    }
