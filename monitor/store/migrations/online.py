"""Changes to tables that are full and in use: what a step from 0012 on may do to them on PostgreSQL.

An index is built beside the writers, which takes longer and stops nobody. It cannot be built in a transaction: what was
done before it in the step is committed first, so a step that builds one does nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op


def create_index(name: str, table: str, columns: Sequence[str], *, where: str = "") -> None:
    """Create an index; what an earlier attempt left behind, killed half-way, is replaced."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_create(f"INDEX {name}", table, columns, where))
        return
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(_create(f"INDEX CONCURRENTLY {name}", table, columns, where))


def drop_index(name: str) -> None:
    """Drop an index."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP INDEX {name}")
        return
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def _create(what: str, table: str, columns: Sequence[str], where: str) -> str:
    listed = ", ".join(columns)
    return f'CREATE {what} ON "{table}" ({listed})' + (f" WHERE {where}" if where else "")
