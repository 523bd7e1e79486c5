"""Matches, what reviewers say of them, and the views that they keep."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.store.tables.columns import NEVER_REUSED, json_column, only

IS_NEWS = "worthy AND verdict <> 'noise' AND lost_at IS NULL"
"""What makes a match news, to be told to anybody: enough of it, not called noise, and still found by the watchlist."""

_FILTERED = ("language", "score", "worthy", "item_id")
"""What the filters of the match log look at besides topic, source and verdict."""


class MatchRow(SQLModel, table=True):
    """An item's match with a topic; ``evidence`` lists watch, version, term, field, start and end.

    ``source_id``, ``news_at`` and ``language`` are the item's, ``verdict`` is the word of the latest verdict (empty for
    none): pages of a million matches are found and counted in an index. ``assignee`` is the address of whoever is to
    judge it. ``lost_at`` is since when the watchlist finds it no more: it is kept for its verdicts, or for the ledger.
    """

    __tablename__ = "match"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("item_id", "topic_id"),
        Index("ix_match_topic_id_id", "topic_id", "id"),
        Index("ix_match_news", "news_at", "id", **only(IS_NEWS)),
        Index("ix_match_topic_news", "topic_id", "news_at", "id", "source_id", **only(IS_NEWS)),
        # The match log walks one of these, the most selective, and finds all that a filter asks for in it.
        Index("ix_match_log", "news_at", "id", "topic_id", "source_id", "verdict", *_FILTERED),
        Index("ix_match_log_topic", "topic_id", "news_at", "id", "source_id", "verdict", *_FILTERED),
        Index("ix_match_log_source", "source_id", "news_at", "id", "topic_id", "verdict", *_FILTERED),
        Index(
            "ix_match_log_verdict",
            "verdict",
            "news_at",
            "id",
            "topic_id",
            "source_id",
            *_FILTERED,
            **only("verdict <> ''"),
        ),
        Index("ix_match_log_assignee", "assignee", "news_at", "id", **only("assignee <> ''")),
    )

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id", ondelete="CASCADE")
    topic_id: str = Field(foreign_key="topic.id")
    score: float
    worthy: bool
    evidence: list[dict[str, Any]] = Field(sa_column=json_column("[]"))
    item_revision: int
    watchlist_version: str
    matched_at: datetime
    source_id: int = Field(foreign_key="source.id")
    news_at: datetime
    language: str = Field(default="", sa_column_kwargs={"server_default": ""})
    verdict: str = Field(default="", sa_column_kwargs={"server_default": ""})
    assignee: str = Field(default="", sa_column_kwargs={"server_default": ""})
    lost_at: datetime | None = None


class VerdictRow(SQLModel, table=True):
    """A reviewer's word on a match: ``relevant``, ``noise`` or ``starred``; of several, the latest counts.

    ``word`` is empty for a note on a match that nobody has judged. ``batch`` names what was done at one stroke, so that
    it can be undone at one stroke.
    """

    __tablename__ = "verdict"
    __table_args__ = (
        Index("ix_verdict_match_id_id", "match_id", "id"),
        Index("ix_verdict_reviewer_id", "reviewer", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    match_id: int = Field(foreign_key="match.id", ondelete="CASCADE")
    reviewer: str
    word: str
    note: str = Field(default="", sa_type=Text)
    at: datetime = Field(index=True)
    batch: str = ""


class SavedViewRow(SQLModel, table=True):
    """A filter of the match log under a name, of one person; ``query`` is its query string."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("owner", "name"), NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    owner: str
    name: str
    query: str = Field(sa_type=Text)
    saved_at: datetime
