"""All that is kept of one item: its text as it was read, its earlier texts, its matches, twins and story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.core.nouns import Document, Evidence
from monitor.errors import NotFound
from monitor.store.items import document_of
from monitor.store.tables import ItemRow, MatchRow, RevisionRow, SourceRow, TopicRow
from monitor.store.verdicts import passable
from monitor.texts import marked as _

NO_SUCH_ITEM = _("There is no such item.")
_MOST_TOLD = 50
"""Of the items of one story that are named: one told by hundreds of agencies is still a page."""


@dataclass(frozen=True, slots=True)
class Version:
    """A text of an item, and the time since which it was seen to say so; aware UTC."""

    number: int
    seen_at: datetime
    title: str
    summary: str
    body: str
    published_at: datetime | None
    content_hash: str


@dataclass(frozen=True, slots=True)
class FullText:
    """That the text was read from the item's own page: when (aware UTC), and the SHA-256 of its title and text."""

    read_at: datetime
    content_hash: str


@dataclass(frozen=True, slots=True)
class Told:
    """Another item with the same news; ``language`` is a BCP 47 tag as the source gives it."""

    item_id: int
    url: str
    title: str
    agency: str
    country: str
    language: str
    news_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A topic that the item is about: how much, whether enough for a digest, and the places that say so.

    ``is_current`` tells whether the evidence is of the item's present text: a new text is matched within minutes.
    """

    topic: str
    score: float
    worthy: bool
    evidence: tuple[Evidence, ...]
    is_current: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """An item with its history; ``versions`` ends with the present text.

    Attributes:
        full_text: None where the text is what the feed gives.
        twins: The same release in other languages, by language; the item where it is stored, else its address.
        story: Other items that tell the same news, the earliest first.
    """

    item_id: int
    url: str
    document: Document
    language: str
    source_feed: str
    published_at: datetime | None
    first_seen_at: datetime
    withdrawn_at: datetime | None
    versions: tuple[Version, ...]
    full_text: FullText | None
    found: tuple[Found, ...]
    twins: Mapping[str, Told | str]
    story_id: int | None
    story: tuple[Told, ...]

    @property
    def present(self) -> Version:
        """The text as it is now."""
        return self.versions[-1]

    @property
    def news_at(self) -> datetime:
        """When it was published or, where its source does not tell, first seen; aware UTC."""
        return self.published_at or self.first_seen_at


def load_dossier(session: Session, item_id: int) -> Dossier:
    """All that is kept of an item.

    Raises:
        NotFound: There is no such item.
    """
    joined = select(*_COLUMNS).join(SourceRow, col(SourceRow.id) == col(ItemRow.source_id))
    row = session.exec(joined.where(ItemRow.id == item_id)).one_or_none()
    if row is None:
        raise NotFound(NO_SUCH_ITEM)
    twins = _twins(session, row.twins)
    shown = {item_id} | {twin.item_id for twin in twins.values() if isinstance(twin, Told)}
    return Dossier(
        item_id=item_id,
        url=row.url,
        document=document_of(row._mapping),  # noqa: SLF001 - SQLAlchemy's public name
        language=row.language,
        source_feed=row.feed,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        withdrawn_at=row.withdrawn_at,
        versions=(*_earlier(session, item_id), _present(row)),
        full_text=FullText(row.article_fetched_at, row.article_hash) if row.article_hash else None,
        found=_found(session, item_id, row.revision),
        twins=twins,
        story_id=row.story_id,
        story=tuple(told for told in tellings(session, row.story_id) if told.item_id not in shown),
    )


_COLUMNS: Any = (
    ItemRow.url,
    ItemRow.title,
    ItemRow.summary,
    ItemRow.body,
    ItemRow.language,
    ItemRow.categories,
    ItemRow.published_at,
    ItemRow.first_seen_at,
    ItemRow.revised_at,
    ItemRow.revision,
    ItemRow.content_hash,
    ItemRow.story_id,
    ItemRow.twins,
    ItemRow.withdrawn_at,
    ItemRow.article_fetched_at,
    ItemRow.article_hash,
    SourceRow.slug,
    SourceRow.agency,
    SourceRow.country,
    SourceRow.url.label("feed"),  # type: ignore[attr-defined]  # a column, not a value
)


def _present(row: Any) -> Version:
    text = (row.title, row.summary, row.body, row.published_at, row.content_hash)
    return Version(row.revision, row.revised_at, *text)


def _earlier(session: Session, item_id: int) -> list[Version]:
    columns: Any = (
        RevisionRow.number,
        RevisionRow.seen_at,
        RevisionRow.title,
        RevisionRow.summary,
        RevisionRow.body,
        RevisionRow.published_at,
        RevisionRow.content_hash,
    )
    earlier = select(*columns).where(RevisionRow.item_id == item_id).order_by(col(RevisionRow.number))
    return [Version(*row) for row in session.exec(earlier)]


def _found(session: Session, item_id: int, revision: int) -> tuple[Found, ...]:
    columns: Any = (MatchRow.topic_id, MatchRow.score, MatchRow.worthy, MatchRow.evidence, MatchRow.item_revision)
    query = select(*columns).join(TopicRow, col(TopicRow.id) == col(MatchRow.topic_id))
    query = query.where(MatchRow.item_id == item_id, passable(hold=False)).order_by(
        col(MatchRow.score).desc(), MatchRow.topic_id
    )
    return tuple(
        Found(topic, score, worthy, tuple(Evidence(**place) for place in evidence), seen == revision)
        for topic, score, worthy, evidence, seen in session.exec(query)
    )


def _twins(session: Session, twins: Mapping[str, str]) -> dict[str, Told | str]:
    if not twins:
        return {}
    stored = {told.url: told for told in _told(session, col(ItemRow.url).in_(list(twins.values())))}
    return {language: stored.get(url, url) for language, url in twins.items()}


def tellings(session: Session, story_id: int | None) -> list[Told]:
    """The items of a story, the earliest first."""
    return _told(session, ItemRow.story_id == story_id) if story_id is not None else []


def _told(session: Session, condition: Any) -> list[Told]:
    columns: Any = (
        ItemRow.id,
        ItemRow.url,
        ItemRow.title,
        SourceRow.agency,
        SourceRow.country,
        ItemRow.language,
        ItemRow.news_at,
    )
    query = select(*columns).join(SourceRow, col(SourceRow.id) == col(ItemRow.source_id)).where(condition)
    return [Told(*row) for row in session.exec(query.order_by(col(ItemRow.news_at), col(ItemRow.id)).limit(_MOST_TOLD))]
