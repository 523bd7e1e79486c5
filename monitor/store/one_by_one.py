"""Transactions that go one after the other on PostgreSQL, as all that write do on SQLite."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import text
from sqlmodel import Session


class Turn(IntEnum):
    """What is done by one transaction at a time; any numbers will do, as long as all processes of ours ask for them."""

    QUEUE_SCHEMA = 0x524E
    CLAIM = 0x524F
    STORIES = 0x5250


def wait_for_turn(session: Session, turn: Turn) -> None:
    """Wait until no other transaction has this turn; it ends with the transaction. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int(turn)})
