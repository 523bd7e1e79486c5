"""The watchlist: pillars, topics, and watches with their history and their drafts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.store.tables.columns import json_column


class PillarRow(SQLModel, table=True):
    """One of the Roadmap's six priorities."""

    __tablename__ = "pillar"

    id: str = Field(primary_key=True)
    position: int
    names: dict[str, str] = Field(sa_column=json_column("{}"))
    applied_hash: str = ""


class TopicRow(SQLModel, table=True):
    """Something a person can follow, in one pillar."""

    __tablename__ = "topic"

    id: str = Field(primary_key=True)
    pillar_id: str = Field(foreign_key="pillar.id", index=True)
    position: int
    names: dict[str, str] = Field(sa_column=json_column("{}"))
    threshold: float
    needs_neighbours: bool
    active: bool = True
    applied_hash: str = ""


class WatchRow(SQLModel, table=True):
    """One query that finds items for a topic; ``applied_hash`` is the config file's content last applied."""

    __tablename__ = "watch"
    __table_args__ = (UniqueConstraint("topic_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    topic_id: str = Field(foreign_key="topic.id")
    key: str
    position: int
    language: str
    query: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    version: int = 1
    active: bool = True
    updated_at: datetime
    applied_hash: str = ""


class WatchVersionRow(SQLModel, table=True):
    """A watch as it was from a time on, and who made it so; the latest is what the watch is now.

    ``reason`` is empty for an edit, ``retired``, or ``rolled back to 3``.
    """

    __tablename__ = "watch_version"
    __table_args__ = (UniqueConstraint("watch_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    watch_id: int = Field(foreign_key="watch.id", ondelete="CASCADE")
    number: int
    language: str
    query: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    active: bool
    actor: str
    at: datetime
    reason: str = ""


class WatchDraftRow(SQLModel, table=True):
    """A watch as an editor would have it, before it is published; ``based_on`` is the version that was live, or 0."""

    __tablename__ = "watch_draft"
    __table_args__ = (UniqueConstraint("topic_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    topic_id: str = Field(foreign_key="topic.id")
    key: str
    language: str
    query: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    based_on: int
    actor: str
    updated_at: datetime
