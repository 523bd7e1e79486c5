"""What goes out: digests with their ledgers, letters, and what channels are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.store.tables.columns import NEVER_REUSED, Said, json_column, only


class Outgoing(SQLModel):
    """What the rows of all kinds of mail have in common: the state of their delivery.

    ``state`` runs ``built`` → ``sending`` → ``sent`` or ``failed``; ``cancelled`` where nobody may get it any more,
    ``bounced`` where it came back after it had been sent. ``first_attempt_at`` is what retries are counted from: the
    days that a mail waited for a service that was down, or paused, are not held against it.
    """

    state: str
    message_id: str = Field(unique=True)
    subject: str = Field(default="", sa_type=Text)
    built_at: datetime
    attempts: int = 0
    next_attempt_at: datetime
    first_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    last_error: str = Field(default="", sa_type=Said)


def _due_index(table: str) -> Index:
    return Index(f"ix_{table}_due", "next_attempt_at", **only("state IN ('built', 'sending')"))


class DigestRow(Outgoing, table=True):
    """One e-mail of one subscriber for one window of time; its state is ``empty`` when the window held nothing."""

    __tablename__ = "digest"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("subscriber_id", "window_end"),
        _due_index("digest"),
        NEVER_REUSED,
    )

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE")
    window_start: datetime
    window_end: datetime


class DigestItemRow(SQLModel, table=True):
    """The ledger: which match went to whom, in which digest."""

    __tablename__ = "digest_item"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}  # the key is all that a row holds

    digest_id: int = Field(foreign_key="digest.id", primary_key=True, ondelete="CASCADE")
    match_id: int = Field(foreign_key="match.id", primary_key=True, index=True)


class DigestPersonalRow(SQLModel, table=True):
    """The ledger of a subscriber's own keywords: which item went to them for which, as the keyword was then."""

    __tablename__ = "digest_personal"

    digest_id: int = Field(foreign_key="digest.id", primary_key=True, ondelete="CASCADE")
    item_id: int = Field(foreign_key="item.id", primary_key=True, index=True)
    watch_id: int = Field(primary_key=True)
    query: str = Field(sa_type=Text)
    evidence: list[dict[str, Any]] = Field(sa_column=json_column("[]"))


class LetterRow(Outgoing, table=True):
    """A mail for one occasion: a confirmation, a link. What it says follows from ``kind`` and ``payload`` when sent."""

    __tablename__ = "letter"
    __table_args__: ClassVar[Any] = (_due_index("letter"), NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    address: str = Field(index=True)
    subscriber_id: int | None = Field(default=None, foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    language: str
    payload: dict[str, Any] = Field(sa_column=json_column("{}"))


class ChannelRow(SQLModel, table=True):
    """An address that is told of news as it comes in: a webhook of somebody's program, or a chat (a secret then).

    ``secret`` signs what a program is sent. ``topics`` are those that it is told of; none for all.
    """

    __tablename__ = "channel"
    __table_args__: ClassVar[Any] = (NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    url: str = Field(sa_type=Text)
    secret: str
    topics: list[str] = Field(sa_column=json_column("[]"))
    active: bool = True
    created_at: datetime


class PushRow(Outgoing, table=True):
    """A match that a channel is told of; the log of what was sent where, and what became of it."""

    __tablename__ = "push"
    __table_args__: ClassVar[Any] = (UniqueConstraint("channel_id", "match_id"), _due_index("push"), NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id", ondelete="CASCADE")
    match_id: int = Field(foreign_key="match.id", ondelete="CASCADE", index=True)
