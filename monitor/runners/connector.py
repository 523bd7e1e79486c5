"""A worker's connections to the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import procrastinate
import psycopg
import psycopg_pool
from procrastinate import exceptions


class Connector(procrastinate.PsycopgConnector):
    """Procrastinate's connection to the queue, which tells when the database failed it.

    After that nobody knows which jobs this worker has been given, or which of its reports arrived. So its connections
    are not tried before each use, and each call is a transaction by itself: one round trip instead of four.
    """

    def __init__(self, failed: Callable[[], None], **pool: Any) -> None:
        super().__init__(pool_factory=_untried, configure=_commit_each, **pool)
        self._failed = failed

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """As Procrastinate does."""
        await self._watched(super().execute_query_async(query, **arguments))

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """As Procrastinate does."""
        row: dict[str, Any] = await self._watched(super().execute_query_one_async(query, **arguments))
        return row

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """As Procrastinate does."""
        rows: list[dict[str, Any]] = await self._watched(super().execute_query_all_async(query, **arguments))
        return rows

    async def _watched(self, answer: Any) -> Any:
        try:
            return await answer
        except exceptions.ConnectorException as error:
            if isinstance(error.__cause__, psycopg.OperationalError | psycopg.InterfaceError):
                self._failed()
            raise


def _untried(*, check: object, **arguments: Any) -> psycopg_pool.AsyncConnectionPool:  # noqa: ARG001 - left out
    return psycopg_pool.AsyncConnectionPool(**arguments)


async def _commit_each(connection: psycopg.AsyncConnection) -> None:
    await connection.set_autocommit(True)
