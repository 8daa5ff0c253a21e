"""Lets all reads of a process see one snapshot of the database: for exports, which read in many statements."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from db.database import Database
from db.read_pool import PoolCounts, PostgresPool, ReadPool, translated
from db.sqlite_pool import SqlitePool

_BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
# A statement of any table: the snapshot is that of the first one.
_FIRST = "SELECT version_num FROM alembic_version"


class _OneConnection:
    """A read pool of one connection, which stays in one transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Returns all records of one statement; raises what SQLAlchemy raises."""
        async with self._turn:
            try:
                records: Sequence[Any] = await self._connection.fetch(sql, *arguments)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                raise translated(sql, error, lost=self._connection.is_closed()) from error
            return records

    def counts(self) -> PoolCounts:
        """Returns the pool's use at this moment."""
        return PoolCounts(int(self._turn.locked()), int(not self._turn.locked()), 1, 0)

    def expire(self) -> None:
        """Does nothing: a snapshot ends with its connection."""

    def abandon_reads(self) -> None:
        """Closes the connection."""
        self._connection.terminate()

    async def close(self) -> None:
        """Closes the connection."""
        self._connection.terminate()


@asynccontextmanager
async def one_snapshot(database: Database) -> AsyncIterator[None]:
    """Within the block, the reads of a database that nothing else uses see the state at its beginning.

    They run one after another.
    """
    pool = await _pool(database._primary_pool)
    kept, database._primary_pool = database._primary_pool, pool
    try:
        yield
    finally:
        database._primary_pool = kept
        await pool.close()


async def _pool(primary: ReadPool) -> ReadPool:
    if isinstance(primary, SqlitePool):
        one: ReadPool = primary.of_one_thread()
        await one.fetch("BEGIN", ())
    else:
        assert isinstance(primary, PostgresPool)
        connection = await primary.connect()
        await connection.execute(_BEGIN)
        one = _OneConnection(connection)
    await one.fetch(_FIRST, ())
    return one
