"""The staff: people, their requests to sign in, their sessions and the keys of their programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from monitor.store.tables.columns import NEVER_REUSED


class StaffRow(SQLModel, table=True):
    """A person who works with the service, with a role (``monitor.core.roles``); they sign in through their address."""

    __tablename__ = "staff"
    __table_args__: ClassVar[Any] = (NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    role: str
    added_at: datetime


class SignInRow(SQLModel, table=True):
    """A request to sign in; its id travels signed in a link, which works once and not for long.

    ``role`` is empty, but for the link that makes the first operator. ``next`` is the page that was asked for.
    """

    __tablename__ = "sign_in"
    __table_args__: ClassVar[Any] = (NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    address: str
    role: str = ""
    next: str = Field(default="/", sa_type=Text)
    requested_at: datetime = Field(index=True)
    expires_at: datetime
    used_at: datetime | None = None


class StaffSessionRow(SQLModel, table=True):
    """A browser in which somebody of the staff is signed in; of the cookie only a hash is kept."""

    __tablename__ = "staff_session"
    __table_args__: ClassVar[Any] = (NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", ondelete="CASCADE", index=True)
    token_hash: str = Field(unique=True)
    device: str = ""
    created_at: datetime
    seen_at: datetime
    expires_at: datetime = Field(index=True)


class ApiTokenRow(SQLModel, table=True):
    """A key with which a program acts for somebody of the staff, with this role at most; only a hash is kept."""

    __tablename__ = "api_token"
    __table_args__: ClassVar[Any] = (NEVER_REUSED,)

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", ondelete="CASCADE", index=True)
    name: str
    role: str
    token_hash: str = Field(unique=True)
    created_at: datetime
    used_at: datetime | None = None
