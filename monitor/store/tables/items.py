"""Items with their earlier texts, and the stories that they tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, Computed, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from monitor.store.tables.columns import json_column, only


class StoryRow(SQLModel, table=True):
    """The items that tell the same news; they name it, and the first published leads."""

    __tablename__ = "story"

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime


class ItemRow(SQLModel, table=True):
    """One publication found at a source.

    ``matched_revision`` is the last revision that the watchlist has seen: an item with
    ``matched_revision < revision`` waits for matching, whatever happened to the process that should have done it.
    ``article_state`` is ``wanted`` while its page is still to be read for the full text, then ``read`` or ``failed``;
    ``none`` where the feed gives the text itself. Where the body is the page's, ``article_fetched_at`` is when that was
    read, and ``article_hash`` tells its title and text. ``revised_at`` is when the present text was first seen.
    ``fingerprint`` is that of the entry as last written, by which it is known again without being read. ``news_at``
    is the time that people sort it by: when it was published or, where its source does not tell, first seen.
    """

    __tablename__ = "item"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("source_id", "key"),
        Index("ix_item_source_id_id", "source_id", "id"),
        Index("ix_item_news_at_id", "news_at", "id"),
        Index("ix_item_wanted", "source_id", **only("article_state = 'wanted'")),
        Index("ix_item_unmatched", "id", **only("matched_revision < revision")),
    )

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id")
    key: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text, index=True)
    title: str = Field(sa_type=Text)
    summary: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    language: str
    categories: list[str] = Field(sa_column=json_column("[]"))
    published_at: datetime | None = None
    first_seen_at: datetime = Field(index=True)
    revised_at: datetime
    content_hash: str = Field(index=True)
    fingerprint: str = ""
    revision: int = 1
    matched_revision: int = 0
    story_id: int | None = Field(default=None, foreign_key="story.id", index=True)
    article_state: str = "none"
    article_fetched_at: datetime | None = None
    article_hash: str = ""
    canonical_url: str = Field(default="", sa_type=Text)
    twins: dict[str, str] = Field(sa_column=json_column("{}"))
    missed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    news_at: datetime | None = Field(
        default=None, sa_column=Column(UTCDateTime(), Computed("coalesce(published_at, first_seen_at)"))
    )


class RevisionRow(SQLModel, table=True):
    """An item's text as last seen at a time, and when it was found to have been replaced."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("item_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id", ondelete="CASCADE")
    number: int
    seen_at: datetime
    replaced_at: datetime = Field(index=True)
    title: str = Field(sa_type=Text)
    summary: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    published_at: datetime | None = None
    content_hash: str
