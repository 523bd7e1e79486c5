"""Matches that the watchlist no longer finds; what is noise or lost is no news.

Revision: 0010
Follows: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INDEXES = (("ix_match_news", ["news_at", "id"]), ("ix_match_topic_news", ["topic_id", "news_at", "id", "source_id"]))


def upgrade() -> None:
    """Bring the schema to this step."""
    op.add_column("match", sa.Column("lost_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    _index_anew("worthy AND verdict <> 'noise' AND lost_at IS NULL")


def downgrade() -> None:
    """Take the schema back to the step before."""
    _index_anew("worthy")
    op.drop_column("match", "lost_at")


def _index_anew(condition: str) -> None:
    where = sa.text(condition)
    for name, columns in _INDEXES:
        op.drop_index(name, "match")
        op.create_index(name, "match", columns, sqlite_where=where, postgresql_where=where)
