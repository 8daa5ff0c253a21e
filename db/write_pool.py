"""The connections of write transactions on PostgreSQL, which stay out of SQLAlchemy's pool between transactions.

To take a connection out of SQLAlchemy's pool and to give it back calls some 200 functions, this 20.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.postgres_connection import ACQUIRE_SECONDS
from db.read_pool import PoolCounts
from db.wait_queue import WaitQueue


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

    def close(self) -> None:
        """Closes it, because it cannot be used any more. SQLAlchemy's pool may then open another."""
        proxied = self.sqlalchemy.sync_connection
        assert proxied is not None
        # At once: SQLAlchemy would say goodbye first, and wait two seconds for a silent server.
        self.driver.terminate()
        if not proxied.invalidated:
            proxied.invalidate()
        proxied.close()


class WritePool:
    """The connections of write transactions of one engine, `size` of them at most.

    The engine's own pool opens them. Those who wait for one get it in the order in which they came.
    """

    def __init__(self, engine: AsyncEngine, size: int) -> None:
        self._engine = engine
        self._size = size
        self._idle: list[WriteConnection] = []
        # Connections that are open or being opened.
        self._opened = 0
        # Each gets a connection, or None: then it opens one in place of one that was closed.
        self._waiting: WaitQueue[WriteConnection | None] = WaitQueue(self._take_back)
        self._generation = 0

    async def acquire(self) -> WriteConnection:
        """Returns a connection without a transaction, the one used last.

        Raises what SQLAlchemy raises, its TimeoutError if none becomes free within ACQUIRE_SECONDS.
        """
        while self._idle:
            connection = self._idle.pop()
            # The server may have closed it since, as one that was restarted has. It worked when it came back.
            if connection.generation == self._generation and not connection.driver.is_closed():
                return connection
            connection.close()
            self._opened -= 1
        if self._opened < self._size:
            self._opened += 1
        else:
            message = f"No connection for a write became free within {ACQUIRE_SECONDS:g} seconds."
            given = await self._waiting.wait(ACQUIRE_SECONDS, message)
            if given is not None:
                return given
        try:
            generation = self._generation
            return WriteConnection(await self._engine.connect(), generation)
        except BaseException:
            self._close_one()
            raise

    def release(self, connection: WriteConnection) -> None:
        """Takes a connection back. It is closed unless it works and its transaction has ended."""
        if connection.generation != self._generation or not connection.is_idle:
            connection.close()
            self._close_one()
        elif not self._waiting.give(connection):
            self._idle.append(connection)

    def _take_back(self, given: WriteConnection | None) -> None:
        if given is None:
            self._close_one()
        else:
            self.release(given)

    def _close_one(self) -> None:
        if not self._waiting.give(None):
            self._opened -= 1

    def expire(self) -> None:
        """Replaces every connection before its next use, because the server behind them may have changed."""
        self._generation += 1

    def counts(self) -> PoolCounts:
        """Returns the pool's use at this moment."""
        kept = len(self._idle)
        return PoolCounts(self._opened - kept, kept, self._size, len(self._waiting))

    async def close(self) -> None:
        """Gives the idle connections back to the engine's pool."""
        while self._idle:
            self._opened -= 1
            await self._idle.pop().sqlalchemy.close()
