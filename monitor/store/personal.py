"""Subscribers' own keywords: the rows, what they find in the archive, and the ledger of what was sent for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, Watch
from monitor.matching.query import parse_query
from monitor.matching.watchlist import WatchHit, compile_watchlist
from monitor.store.archive import find_candidates
from monitor.store.holdings import LATE_ARRIVALS
from monitor.store.items import load_documents
from monitor.store.tables import DigestPersonalRow, DigestRow, ItemRow, PersonalWatchRow
from monitor.store.upsert import insert_new

_IN_BATCH = 200


@dataclass(frozen=True, slots=True)
class PersonalHit:
    """An item that one of a subscriber's own keywords finds."""

    item_id: int
    watch_id: int
    query: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class FoundItem:
    """A hit with what is shown of its item."""

    hit: PersonalHit
    url: str
    published_at: datetime | None
    first_seen_at: datetime
    document: Document

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Where the keyword's words are in the document."""
        return self.hit.evidence


def own_watches(session: Session, subscriber_ids: Sequence[int]) -> list[PersonalWatchRow]:
    """The keywords of these subscribers, in the order in which they were added."""
    rows = select(PersonalWatchRow).where(col(PersonalWatchRow.subscriber_id).in_(subscriber_ids))
    return list(session.exec(rows.order_by(col(PersonalWatchRow.id))))


def as_watch(row: PersonalWatchRow) -> Watch:
    """A keyword as a watch: its topic is the subscriber's id, its key its own."""
    return Watch(str(row.subscriber_id), str(row.id), Language(row.language), row.query)


def find_hits(
    session: Session, watches: Sequence[Watch], since: datetime, *, limit: int
) -> Iterator[tuple[int, WatchHit]]:
    """Yield the id of each item first seen since a time that a watch finds, with the hit; the newest items first.

    The full-text index of the archive names the items that may match; each of them is read once for all watches.

    Args:
        session: An open transaction.
        watches: Watches that were understood before.
        since: How far back, aware UTC.
        limit: The most items that are read.
    """
    if not watches:
        return
    queries = [parse_query(watch.query, watch.language) for watch in watches]
    candidates = [item_id for item_id, _ in find_candidates(session, queries, since)][:limit]
    watchlist = compile_watchlist(watches)
    for start in range(0, len(candidates), _IN_BATCH):
        batch = candidates[start : start + _IN_BATCH]
        documents = {stored.item_id: stored.document for stored in load_documents(session, batch)}
        for item_id, hits in zip(batch, watchlist.match_all(map(documents.__getitem__, batch)), strict=True):
            yield from ((item_id, hit) for hit in hits)


def unsent(
    session: Session, hits: Iterable[PersonalHit], subscriber_id: int, start: datetime, end: datetime
) -> list[PersonalHit]:
    """The hits whose items belong into a subscriber's digest for a window, and were not sent to them before."""
    by_item: dict[int, list[PersonalHit]] = {}
    for hit in hits:
        by_item.setdefault(hit.item_id, []).append(hit)
    if not by_item:
        return []
    sent = (
        select(DigestPersonalRow.item_id)
        .join(DigestRow, col(DigestRow.id) == col(DigestPersonalRow.digest_id))
        .where(DigestRow.subscriber_id == subscriber_id, DigestPersonalRow.item_id == ItemRow.id)
        .exists()
    )
    seen = (ItemRow.first_seen_at >= start - LATE_ARRIVALS, ItemRow.first_seen_at < end)
    wanted = list(by_item)
    due: list[PersonalHit] = []
    for at in range(0, len(wanted), _IN_BATCH):
        some = col(ItemRow.id).in_(wanted[at : at + _IN_BATCH])
        for item_id in session.exec(select(ItemRow.id).where(some, *seen, ~sent)):
            due += by_item[item_id or 0]
    return due


def record_hits(session: Session, digest_id: int, hits: Sequence[PersonalHit]) -> None:
    """Write down what a digest holds for its reader's own keywords, as they are now."""
    rows = [
        {
            "digest_id": digest_id,
            "item_id": hit.item_id,
            "watch_id": hit.watch_id,
            "query": hit.query,
            "evidence": [asdict(evidence) for evidence in hit.evidence],
        }
        for hit in hits
    ]
    insert_new(session, DigestPersonalRow, rows)


def hits_of(session: Session, digest_ids: Sequence[int]) -> Mapping[int, list[PersonalHit]]:
    """What digests hold for their readers' own keywords, by digest."""
    held: dict[int, list[PersonalHit]] = defaultdict(list)
    columns: Any = select(*DigestPersonalRow.__table__.c)  # type: ignore[attr-defined]  # SQLModel's
    for row in session.connection().execute(columns.where(col(DigestPersonalRow.digest_id).in_(digest_ids))):
        evidence = tuple(Evidence(**found) for found in row.evidence)
        held[row.digest_id].append(PersonalHit(row.item_id, row.watch_id, row.query, evidence))
    return held


def load_found(session: Session, hits: Sequence[PersonalHit]) -> list[FoundItem]:
    """The hits with what is shown of their items, in the same order."""
    if not hits:
        return []
    ids = sorted({hit.item_id for hit in hits})
    documents = {stored.item_id: stored.document for stored in load_documents(session, ids)}
    columns = select(ItemRow.id, ItemRow.url, ItemRow.published_at, ItemRow.first_seen_at)
    shown = {item_id: rest for item_id, *rest in session.exec(columns.where(col(ItemRow.id).in_(ids)))}
    return [_found(hit, documents[hit.item_id], *shown[hit.item_id]) for hit in hits]


def _found(hit: PersonalHit, document: Document, *shown: Any) -> FoundItem:
    url, published_at, first_seen_at = shown
    return FoundItem(hit, url, published_at, first_seen_at, document)
