"""Matches know their news: its time and its source.

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEWS_AT = "coalesce(published_at, first_seen_at)"
_FILL = """
UPDATE "match" SET
    source_id = (SELECT source_id FROM item WHERE item.id = "match".item_id),
    news_at = (SELECT coalesce(published_at, first_seen_at) FROM item WHERE item.id = "match".item_id)
"""
_WORTHY = sa.text("worthy")


def upgrade() -> None:
    """Bring the schema to this step."""
    time = sqlmodel.sql.sqltypes.UTCDateTime()
    # SQLite adds only virtual columns to a table, PostgreSQL indexes only stored ones.
    computed = sa.Computed(_NEWS_AT, persisted=op.get_bind().dialect.name == "postgresql")
    op.add_column("item", sa.Column("news_at", time, computed, nullable=True))
    op.create_index("ix_item_news_at_id", "item", ["news_at", "id"])
    op.add_column("match", sa.Column("source_id", sa.Integer(), nullable=True))
    op.add_column("match", sa.Column("news_at", time, nullable=True))
    op.execute(_FILL)
    with op.batch_alter_table("match") as batch_op:
        batch_op.alter_column("source_id", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("news_at", existing_type=time, nullable=False)
        batch_op.create_foreign_key(op.f("fk_match_source_id_source"), "source", ["source_id"], ["id"])
    for name, columns in (
        ("ix_match_news", ["news_at", "id"]),
        ("ix_match_topic_news", ["topic_id", "news_at", "id", "source_id"]),
    ):
        op.create_index(name, "match", columns, sqlite_where=_WORTHY, postgresql_where=_WORTHY)


def downgrade() -> None:
    """Take the schema back to the step before."""
    op.drop_index("ix_match_topic_news", "match")
    op.drop_index("ix_match_news", "match")
    with op.batch_alter_table("match") as batch_op:
        batch_op.drop_constraint(op.f("fk_match_source_id_source"), type_="foreignkey")
        batch_op.drop_column("news_at")
        batch_op.drop_column("source_id")
    op.drop_index("ix_item_news_at_id", "item")
    op.drop_column("item", "news_at")
