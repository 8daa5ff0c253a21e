"""The connection pool for reads on PostgreSQL, directly on the driver: one round trip for each read.

Reads run in autocommit and leave no state behind, so no statement begins, ends or resets anything between them.
docs/decisions/0010-reads-have-their-own-connection-pool.md says why this is not asyncpg's own pool.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from db.outages import loses_connection
from db.postgres_connection import ACQUIRE_SECONDS, Connection, ConnectionOptions, connect, is_silent, read_arguments
from db.wait_queue import WaitQueue

# What a statement on the driver raises, apart from a cancellation.
DRIVER_ERRORS = (asyncpg.PostgresError, OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """How many connections of a pool are in use and how many are idle, its limit, and how many callers wait for one."""

    in_use: int
    idle: int
    limit: int
    waiting: int


def engine_counts(engine: AsyncEngine) -> PoolCounts:
    """Returns the use of an engine's pool, whose waiting callers SQLAlchemy does not count."""
    pool = cast("QueuePool", engine.sync_engine.pool)
    return PoolCounts(pool.checkedout(), pool.checkedin(), pool.size() + max(pool._max_overflow, 0), 0)


class ReadPool(Protocol):
    """A pool of connections that only read."""

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Returns all records of one statement; raises what SQLAlchemy raises."""
        ...

    def counts(self) -> PoolCounts:
        """Returns the pool's use at this moment."""
        ...

    def expire(self) -> None:
        """Replaces every connection before its next use."""
        ...

    def abandon_reads(self) -> None:
        """Ends all reads that are running, with an error."""
        ...

    async def close(self) -> None:
        """Closes all connections."""
        ...


class PostgresPool:
    """Up to `size` connections, opened on demand.

    The connection that was used last is used next, because its statements are prepared. If a connection proves dead,
    the read is sent once more on a new one, unless the pool `repeats` no reads. A read takes no longer than
    `options.answer_seconds`, with all its waits; a connection without an answer by then is closed.
    """

    def __init__(
        self,
        url: URL,
        connect_arguments: Mapping[str, Any],
        size: int,
        options: ConnectionOptions,
        repeats: bool = True,
    ) -> None:
        self._options = options
        self._arguments = read_arguments(options, connect_arguments)
        self._size = size
        self._repeats = repeats
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        # Busy connections that are closed when they come back.
        self._expired: set[Connection] = set()
        # Of the connections, open or not, those that no read uses.
        self._free = size
        self._waiting: WaitQueue[None] = WaitQueue(self._give_back)
        self._name = url.render_as_string(hide_password=True)

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Returns all records of one statement.

        Raises DBAPIError as SQLAlchemy does, and SQLAlchemy's TimeoutError if no connection becomes free in time.
        """
        began = time.monotonic()
        if self._free:
            self._free -= 1
        else:
            message = f"No connection to {self._name} became free within {ACQUIRE_SECONDS:g} seconds."
            await self._waiting.wait(ACQUIRE_SECONDS, message)
        try:
            return await self._fetch(sql, arguments, began)
        finally:
            self._give_back()

    def _give_back(self, _: None = None) -> None:
        if not self._waiting.give(None):
            self._free += 1

    async def _fetch(self, sql: str, arguments: Sequence[Any], began: float) -> Sequence[Any]:
        connection = self._pop_idle()
        if connection is not None:
            try:
                return await self._fetch_on(connection, sql, arguments, began)
            except DBAPIError as error:
                if not (self._repeats and error.connection_invalidated) or is_silent(error.__cause__ or error):
                    raise
        # The retry opens a connection: the other idle ones may have died together with the first.
        return await self._fetch_on(await self.connect(), sql, arguments, began)

    async def _fetch_on(
        self, connection: Connection, sql: str, arguments: Sequence[Any], began: float
    ) -> Sequence[Any]:
        self._busy.add(connection)
        try:
            if self._options.prepares:
                records = await connection.fetch_prepared(sql, arguments, self._seconds_left(began))
            else:
                # Unprepared, a read takes several messages, which need one transaction to reach one session.
                async with connection.transaction(readonly=True):
                    records = await connection.fetch(sql, *arguments, timeout=self._seconds_left(began))
        except DRIVER_ERRORS as error:
            raised = driver_error(sql, error, connection)
            self._release(connection, raised.connection_invalidated)
            raise raised from error
        except BaseException:
            # Cancelled: the rest of the result may still arrive on this connection.
            self._release(connection, lost=True)
            raise
        self._release(connection, lost=False)
        return records

    def _seconds_left(self, began: float) -> float | None:
        limit = self._options.answer_seconds
        return None if limit is None else limit - (time.monotonic() - began)

    def _pop_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _release(self, connection: Connection, lost: bool) -> None:
        self._busy.discard(connection)
        if lost or (self._expired and connection in self._expired):
            self._expired.discard(connection)
            connection.terminate()
        else:
            self._idle.append(connection)

    async def connect(self) -> Connection:
        """Opens a connection, which is not one of the pool."""
        try:
            return await connect(self._options, **self._arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise translated("connect", error, lost=True) from error

    def counts(self) -> PoolCounts:
        """Returns the pool's use at this moment."""
        return PoolCounts(len(self._busy), len(self._idle), self._size, len(self._waiting))

    def expire(self) -> None:
        """Replaces every connection before its next use, because the server behind them may have changed."""
        self._expired.update(self._busy)
        while self._idle:
            self._idle.pop().terminate()

    def abandon_reads(self) -> None:
        """Closes the connections of all reads that are running: each read raises an error at once."""
        for connection in list(self._busy):
            connection.terminate()

    async def close(self) -> None:
        """Closes the idle connections."""
        while (connection := self._pop_idle()) is not None:
            try:
                await connection.close(timeout=2)
            except (OSError, asyncpg.PostgresError):
                connection.terminate()


def driver_error(sql: str, error: Exception, connection: Connection) -> DBAPIError:
    """Returns what SQLAlchemy raises for one of `DRIVER_ERRORS` on a connection."""
    if isinstance(error, asyncpg.PostgresError):
        lost = connection.is_closed() or loses_connection(error.sqlstate)
    else:
        # An InterfaceError can also be a value that does not fit its column, on a working connection. An
        # InternalClientError comes from a connection that the server closed between two reads, an OSError from the
        # network, or without an answer in time (TimeoutError).
        lost = not isinstance(error, asyncpg.InterfaceError) or connection.is_closed()
    return translated(sql, error, lost)


def translated(sql: str, error: Exception, lost: bool) -> DBAPIError:
    """Returns what SQLAlchemy raises for an error of the driver. `lost`: the connection cannot be used any more."""
    kind = OperationalError if lost else DBAPIError
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        kind = IntegrityError
    return kind(sql, None, error, hide_parameters=True, connection_invalidated=lost)
