"""Sources, the visits to them, the hubs that push what they publish, and the hosts that rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from monitor.store.tables.columns import Said, json_column, only


class SourceRow(SQLModel, table=True):
    """A feed, or a page without a feed, of one agency in one language, with the state of its polling.

    ``asked`` is how often the feed asked to be visited when it was last read; a 304 does not repeat it.
    """

    __tablename__ = "source"
    __table_args__: ClassVar[Any] = (Index("ix_source_due", "next_poll_at", **only("state = 'active'")),)

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    url: str = Field(unique=True, sa_type=Text)
    host: str = Field(index=True)
    agency: str
    country: str
    language: str
    kind: str
    selectors: dict[str, str] = Field(sa_column=json_column("{}"))
    last_verified: str = ""
    note: str = Field(default="", sa_type=Text)
    applied_hash: str = ""

    state: str = "active"
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    asked: dict[str, Any] = Field(sa_column=json_column("{}"))
    permanent_url_seen: str | None = Field(default=None, sa_type=Text)
    permanent_url_count: int = 0
    next_poll_at: datetime
    lease_until: datetime | None = None
    interval_seconds: int
    failures: int = 0
    health: str = "new"
    last_error: str = Field(default="", sa_type=Said)
    added_at: datetime
    last_polled_at: datetime | None = None
    last_success_at: datetime | None = None
    articles_after: datetime | None = None
    told_at: datetime | None = None
    told_count: int = 0


class PollRow(SQLModel, table=True):
    """One visit to a source and what came of it."""

    __tablename__ = "poll"
    __table_args__ = (Index("ix_poll_source_id_started_at", "source_id", "started_at"),)

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", ondelete="CASCADE")
    started_at: datetime = Field(index=True)
    duration_ms: int
    outcome: str
    detail: str = Field(default="", sa_type=Said)
    http_status: int | None = None
    body_bytes: int = 0
    entries: int = 0
    new_items: int = 0
    changed_items: int = 0
    overlap: float | None = None


class HubRow(SQLModel, table=True):
    """The hub that pushes what a source publishes (WebSub): ``offered``, ``asked``, ``active`` or ``refused``.

    It calls back under ``token`` and signs what it pushes with ``secret``. ``ask_at`` is when it is to be asked next,
    first or again.
    """

    __tablename__ = "hub"

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", unique=True, ondelete="CASCADE")
    hub: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    token: str = Field(unique=True)
    secret: str
    state: str = "offered"
    ask_at: datetime = Field(index=True)
    expires_at: datetime | None = None
    pushed_at: datetime | None = None
    last_error: str = Field(default="", sa_type=Text)


class HostTurnRow(SQLModel, table=True):
    """A host that somebody asks for something, or that rests after that; then nobody else does."""

    __tablename__ = "host_turn"

    host: str = Field(primary_key=True)
    until: datetime
