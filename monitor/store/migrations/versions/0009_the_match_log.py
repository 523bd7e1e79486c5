"""The match log: what it is filtered by, and saved views.

Revision: 0009
Follows: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TEXT = sqlmodel.sql.sqltypes.AutoString()
_FILTERED = ["language", "score", "worthy", "item_id"]
_JUDGED, _ASSIGNED = sa.text("verdict <> ''"), sa.text("assignee <> ''")
_FILL = """
UPDATE "match" SET
    language = (SELECT language FROM item WHERE item.id = "match".item_id),
    verdict = coalesce((SELECT word FROM verdict WHERE match_id = "match".id ORDER BY id DESC LIMIT 1), '')
"""


def upgrade() -> None:
    """Bring the schema to this step."""
    for name in ("language", "verdict", "assignee"):
        op.add_column("match", sa.Column(name, _TEXT, server_default="", nullable=False))
    op.add_column("verdict", sa.Column("batch", _TEXT, server_default="", nullable=False))
    op.execute(_FILL)
    op.create_index("ix_match_log", "match", ["news_at", "id", "topic_id", "source_id", "verdict", *_FILTERED])
    op.create_index("ix_match_log_topic", "match", ["topic_id", "news_at", "id", "source_id", "verdict", *_FILTERED])
    op.create_index("ix_match_log_source", "match", ["source_id", "news_at", "id", "topic_id", "verdict", *_FILTERED])
    columns = ["verdict", "news_at", "id", "topic_id", "source_id", *_FILTERED]
    op.create_index("ix_match_log_verdict", "match", columns, sqlite_where=_JUDGED, postgresql_where=_JUDGED)
    columns = ["assignee", "news_at", "id"]
    op.create_index("ix_match_log_assignee", "match", columns, sqlite_where=_ASSIGNED, postgresql_where=_ASSIGNED)
    op.create_index("ix_verdict_reviewer_id", "verdict", ["reviewer", "id"])
    op.create_index(op.f("ix_verdict_at"), "verdict", ["at"])
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("saved_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_saved_view_owner_name")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Take the schema back to the step before."""
    op.drop_table("saved_view")
    for name in ("ix_verdict_at", "ix_verdict_reviewer_id"):
        op.drop_index(name, "verdict")
    for name in ("", "_topic", "_source", "_verdict", "_assignee"):
        op.drop_index(f"ix_match_log{name}", "match")
    op.drop_column("verdict", "batch")
    for name in ("assignee", "verdict", "language"):
        op.drop_column("match", name)
