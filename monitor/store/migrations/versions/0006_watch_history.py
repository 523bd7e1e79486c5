"""The history of watches, and their drafts.

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What is live now is where the history of an older installation begins.
_BEGIN = """
INSERT INTO watch_version (watch_id, number, language, query, note, active, actor, at, reason)
SELECT id, version, language, query, note, active, '', updated_at, '' FROM watch
"""


def upgrade() -> None:
    """Bring the schema to this step."""
    op.create_table(
        "watch_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("watch_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("language", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.id"], name=op.f("fk_watch_version_watch_id_watch"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_version")),
        sa.UniqueConstraint("watch_id", "number", name=op.f("uq_watch_version_watch_id_number")),
    )
    op.create_table(
        "watch_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("language", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("updated_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_watch_draft_topic_id_topic")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_draft")),
        sa.UniqueConstraint("topic_id", "key", name=op.f("uq_watch_draft_topic_id_key")),
    )
    op.execute(_BEGIN)


def downgrade() -> None:
    """Take the schema back to the step before."""
    op.drop_table("watch_draft")
    op.drop_table("watch_version")
