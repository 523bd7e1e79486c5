"""The installation itself: what it counts, when its schedule fired, who did what, and facts by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from monitor.store.tables.columns import json_column


class TallyRow(SQLModel, table=True):
    """How often something was asked for in a stretch of time, for the limits of the public forms."""

    __tablename__ = "tally"

    name: str = Field(primary_key=True)
    starts_at: datetime = Field(primary_key=True, index=True)
    count: int


class SlotRow(SQLModel, table=True):
    """A tick of the schedule that has fired; it fires once however many schedulers run."""

    __tablename__ = "slot"

    job: str = Field(primary_key=True)
    scheduled_at: datetime = Field(primary_key=True)
    fired_at: datetime


class EventRow(SQLModel, table=True):
    """The audit trail: who changed a watch, a source or a subscriber, and when."""

    __tablename__ = "event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    actor: str
    action: str
    noun: str
    noun_id: str
    detail: dict[str, Any] = Field(sa_column=json_column("{}"))


class KeptRow(SQLModel, table=True):
    """A fact about the installation itself, by name, such as the version of the watchlist last matched with."""

    __tablename__ = "kept"

    name: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)
