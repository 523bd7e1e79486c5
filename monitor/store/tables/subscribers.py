"""Subscribers: what they chose, what they asked for, and what came back from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.store.tables.columns import NEVER_REUSED, json_column, only


class SubscriberRow(SQLModel, table=True):
    """A person with an address; ``digested_until`` ends the last window; none before the first.

    ``state`` is ``active``, ``unsubscribed`` or ``suppressed`` (mail to the address bounces); who has not
    confirmed yet is a ``signup``. ``link_generation`` rises when the address changes: links in older mails are void.
    """

    __tablename__ = "subscriber"
    __table_args__: ClassVar[Any] = (
        Index("ix_subscriber_due", "next_digest_at", **only("state = 'active'")),
        NEVER_REUSED,
    )

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    state: str
    language: str
    frequency: str
    weekday: int
    hour: int
    zone: str
    created_at: datetime
    confirmed_at: datetime | None = None
    consent: dict[str, str] = Field(sa_column=json_column("{}"))
    digested_until: datetime | None = None
    next_digest_at: datetime
    paused_until: datetime | None = None
    link_generation: int = 1


class SubscriptionRow(SQLModel, table=True):
    """A topic that a subscriber chose."""

    __tablename__ = "subscription"

    subscriber_id: int = Field(foreign_key="subscriber.id", primary_key=True, ondelete="CASCADE")
    topic_id: str = Field(foreign_key="topic.id", primary_key=True)


class PersonalWatchRow(SQLModel, table=True):
    """A keyword of a subscriber's own, in the query language of the watches."""

    __tablename__ = "personal_watch"
    __table_args__ = (UniqueConstraint("subscriber_id", "language", "query"), NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE")
    language: str
    query: str = Field(sa_type=Text)
    created_at: datetime


class SignupRow(SQLModel, table=True):
    """A request to subscribe that waits for its confirmation: one an address and day, the latest choice counts."""

    __tablename__ = "signup"
    __table_args__ = (UniqueConstraint("address", "day"), NEVER_REUSED)

    id: int | None = Field(default=None, primary_key=True)
    address: str
    day: date
    choice: dict[str, Any] = Field(sa_column=json_column("{}"))
    consent: dict[str, str] = Field(sa_column=json_column("{}"))
    requested_at: datetime = Field(index=True)
    confirmed_at: datetime | None = None


class AddressChangeRow(SQLModel, table=True):
    """A subscriber's wish to get their mail elsewhere; done when both addresses have confirmed it."""

    __tablename__ = "address_change"
    __table_args__: ClassVar[Any] = (NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    new_address: str
    requested_at: datetime
    old_confirmed_at: datetime | None = None
    new_confirmed_at: datetime | None = None


class BounceRow(SQLModel, table=True):
    """A subscriber's mail that came back: ``hard``, ``soft`` or a ``complaint``.

    ``reference`` names the mail as its return path does; ``fingerprint`` is that of the report: one that is read twice
    counts once.
    """

    __tablename__ = "bounce"

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True)
    at: datetime
    kind: str
    reference: str
    detail: str = Field(sa_type=Text)
    fingerprint: str = Field(unique=True)
