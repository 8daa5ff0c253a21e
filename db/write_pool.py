"""The connections of write transactions on PostgreSQL, which stay out of SQLAlchemy's pool between transactions.

To take a connection out of SQLAlchemy's pool and to give it back calls some 200 functions, this 20.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.read_pool import PoolCounts, engine_counts


class WriteConnection:
    """One connection: SQLAlchemy's, its adapter of the driver's, and the driver's own. `generation`: see `expire`."""

    __slots__ = ("adapter", "driver", "generation", "sqlalchemy")

    def __init__(self, sqlalchemy: AsyncConnection, generation: int) -> None:
        proxied = sqlalchemy.sync_connection
        assert proxied is not None
        self.sqlalchemy = sqlalchemy
        adapter: Any = proxied.connection.dbapi_connection
        self.adapter = adapter
        self.driver = adapter.driver_connection
        self.generation = generation

    @property
    def is_idle(self) -> bool:
        """Whether it works, and no transaction is open on it."""
        if self.driver.is_closed() or self.sqlalchemy.invalidated:
            return False
        return self.adapter._transaction is None and not self.driver.is_in_transaction()

    def close(self, lost: bool) -> None:
        """Gives it back to SQLAlchemy's pool; `lost`: closed, because it cannot be used any more."""
        proxied = self.sqlalchemy.sync_connection
        assert proxied is not None
        if lost:
            # At once: SQLAlchemy would say goodbye first, and wait two seconds for a silent server.
            self.driver.terminate()
            if not proxied.invalidated:
                proxied.invalidate()
        proxied.close()


class WritePool:
    """The connections of one engine that are idle between two transactions, up to `size`.

    The engine's own pool opens them, and limits how many there are and how long a transaction waits for one.
    """

    def __init__(self, engine: AsyncEngine, size: int) -> None:
        self._engine = engine
        self._size = size
        self._idle: list[WriteConnection] = []
        self._generation = 0
        self._waiting = 0

    async def acquire(self) -> WriteConnection:
        """Returns a connection without a transaction, the one used last. Raises what SQLAlchemy raises."""
        while self._idle:
            connection = self._idle.pop()
            # The server may have closed it since, as one that was restarted has.
            if connection.generation == self._generation and connection.is_idle:
                return connection
            connection.close(lost=True)
        self._waiting += 1
        try:
            generation = self._generation
            return WriteConnection(await self._engine.connect(), generation)
        finally:
            self._waiting -= 1

    def release(self, connection: WriteConnection) -> None:
        """Takes a connection back. It is closed unless it works and its transaction has ended."""
        if not connection.is_idle or connection.generation != self._generation:
            connection.close(lost=True)
        elif self._waiting or len(self._idle) >= self._size:
            # SQLAlchemy's pool gives it to who waits there.
            connection.close(lost=False)
        else:
            self._idle.append(connection)

    def expire(self) -> None:
        """Replaces every connection before its next use, because the server behind them may have changed."""
        self._generation += 1

    def counts(self) -> PoolCounts:
        """Returns the use of the engine's pool at this moment."""
        counts, kept = engine_counts(self._engine), len(self._idle)
        return PoolCounts(counts.in_use - kept, counts.idle + kept, counts.limit, counts.waiting)

    async def close(self) -> None:
        """Gives the idle connections back to the engine's pool, which closes those beyond what it keeps."""
        while self._idle:
            await self._idle.pop().sqlalchemy.close()
