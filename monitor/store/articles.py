"""The full text of items whose feed gives a summary only: which pages are to be read, and what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from monitor.store.archive import index_items
from monitor.store.items import WANTED
from monitor.store.tables import ItemRow, SourceRow

READ = "read"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WantedArticle:
    """An item whose page is to be read; ``selector`` is the source's for the main text, or empty.

    Of one that was ``missed`` only whether the page is still there is wanted: its source leaves the item out.
    """

    item_id: int
    source_id: int
    url: str
    language: str
    selector: str
    missed: bool


def wanted_articles(session: Session, source_ids: Sequence[int], *, per_source: int) -> list[WantedArticle]:
    """The newest items of the sources whose pages are to be read, source by source."""
    found: list[WantedArticle] = []
    for source_id in source_ids:
        columns = select(*_COLUMNS).join(SourceRow)
        newest = columns.where(ItemRow.source_id == source_id, ItemRow.article_state == WANTED)
        for item_id, url, language, missed_at, selectors in session.exec(
            newest.order_by(col(ItemRow.id).desc()).limit(per_source)
        ):
            selector = selectors.get("article", "")
            found.append(WantedArticle(item_id, source_id, url, language, selector, missed_at is not None))
    return found


_COLUMNS: Any = (ItemRow.id, ItemRow.url, ItemRow.language, ItemRow.missed_at, SourceRow.selectors)


def store_article(
    session: Session,
    item_id: int,
    *,
    text: str,
    canonical_url: str,
    twins: Mapping[str, str],
    content_hash: str,
    now: datetime,
) -> None:
    """Keep what an item's page says, and have the item matched again; an empty text leaves the body as it is.

    Time and hash are those of the body: they stay with it when a later reading brings no text.
    """
    values = {"article_state": READ, "canonical_url": canonical_url, "twins": dict(twins), "matched_revision": 0}
    if text:
        values |= {"body": text, "article_fetched_at": now, "article_hash": content_hash}
    session.connection().execute(update(ItemRow).where(col(ItemRow.id) == item_id).values(values))
    index_items(session, [item_id])


def give_up_article(session: Session, item_id: int) -> None:
    """Note that an item's page cannot be read; what is stored of it is all there is."""
    _set_state(session, item_id, FAILED)


def keep_article(session: Session, item_id: int) -> None:
    """Note that the page of an item that its source leaves out is still there: the item has only made room."""
    _set_state(session, item_id, READ)


def _set_state(session: Session, item_id: int, state: str) -> None:
    session.connection().execute(update(ItemRow).where(col(ItemRow.id) == item_id).values(article_state=state))


def rest_articles(session: Session, source_ids: Sequence[int], until: datetime) -> None:
    """Leave the pages of these sources alone until a time."""
    resting = update(SourceRow).where(col(SourceRow.id).in_(source_ids)).values(articles_after=until)
    session.connection().execute(resting)


def release_sources(session: Session, source_ids: Sequence[int], *, rested_at: datetime | None) -> None:
    """Give sources back that were claimed for their articles; until a time their host is left alone by everybody."""
    released = update(SourceRow).where(col(SourceRow.id).in_(source_ids)).values(lease_until=rested_at)
    session.connection().execute(released)
