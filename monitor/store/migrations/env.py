"""What Alembic runs: it uses the connection, already in a transaction, that ``monitor.store.migrate`` hands over."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from monitor.store import tables  # noqa: F401 - fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    # The caller's transaction holds every step: a migration that is killed leaves the schema as it was.
    transactional_ddl=True,
)
context.run_migrations()
