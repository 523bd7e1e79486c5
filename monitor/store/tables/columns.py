"""What the tables share: how their constraints are named, and the kinds of their columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, MetaData, Text, TypeDecorator, text
from sqlmodel import SQLModel

from monitor.texts import pack, unpack

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention

NEVER_REUSED = {"sqlite_autoincrement": True}
"""For tables whose rows are named in links: SQLite gives the id of a deleted last row to the next one, unless told not
to, and an old link would then open somebody else's subscription."""


class Said(TypeDecorator[str]):
    """A text of ours as ``texts.pack`` keeps it: whoever reads the row can say it in any language."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """What the row holds."""
        return None if value is None else pack(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """The text again."""
        return None if value is None else unpack(value)


def json_column(default: str) -> Column[Any]:
    """A column of JSON that is never null."""
    return Column(JSON, nullable=False, server_default=text(f"'{default}'"))


def only(condition: str) -> dict[str, Any]:
    """What makes an index partial, on either kind of database."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
