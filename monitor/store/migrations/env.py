"""What Alembic runs: it uses the connection that ``monitor.store.migrate`` hands over.

On SQLite the caller has begun a transaction, which holds every step. On PostgreSQL each step has its own: one that is
killed leaves the steps before it done, and is begun anew.
"""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from monitor.store import tables  # noqa: F401 - fills the metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=connection.dialect.name == "postgresql",
)
with context.begin_transaction():
    context.run_migrations()
