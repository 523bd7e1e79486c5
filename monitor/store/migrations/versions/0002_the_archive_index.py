"""The archive index.

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Terms only, no places and no text: the index tells which items may hold a query's words, the engine has the last
# word. A contentless table with neither column sizes nor positions is a third of the size of a full one.
_SQLITE = """
CREATE VIRTUAL TABLE item_index USING fts5(terms, content='', columnsize=0, detail=none, tokenize='ascii')
"""
_POSTGRESQL = (
    """
    CREATE TABLE item_index (
        item_id INTEGER PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE,
        terms TSVECTOR NOT NULL
    )
    """,
    "CREATE INDEX item_index_terms ON item_index USING gin (terms)",
)


def upgrade() -> None:
    """Bring the schema to this step."""
    for statement in (_SQLITE,) if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Take the schema back to the step before."""
    op.execute("DROP TABLE item_index")
