"""Connection pools for reads, directly on the driver: one round trip on PostgreSQL, one call in a thread on SQLite.

Reads run in autocommit and leave no state behind, so no statement begins, ends or resets anything between them.
docs/decisions/0010-reads-have-their-own-connection-pool.md says why this is not asyncpg's own pool.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# For a free connection, and for opening one.
_TIMEOUT_SECONDS = 10
_SQLITE_THREADS = 4
# Options of an SQLAlchemy URL that the driver does not accept.
_SQLALCHEMY_OPTIONS = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback")


class ReadPool(Protocol):
    """A pool of connections that only read."""

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Returns all records of one statement; raises what SQLAlchemy raises."""
        ...

    async def close(self) -> None:
        """Closes all connections."""
        ...


class PostgresPool:
    """Up to `size` connections, opened on demand.

    The connection that was used last is used next, because its statements are prepared. If a connection proves dead,
    the read is sent once more on a new one.
    """

    def __init__(self, url: URL, connect_options: Mapping[str, Any], size: int) -> None:
        self._options = {name: value for name, value in connect_options.items() if name not in _SQLALCHEMY_OPTIONS}
        self._idle: list[asyncpg.Connection] = []
        self._slots = asyncio.Semaphore(size)
        self._name = url.render_as_string(hide_password=True)

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Returns all records of one statement.

        Raises DBAPIError as SQLAlchemy does, and SQLAlchemy's TimeoutError if no connection becomes free in time.
        """
        if self._slots.locked():
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    await self._slots.acquire()
            except TimeoutError:
                raise PoolTimeout(
                    f"No connection to {self._name} became free within {_TIMEOUT_SECONDS} seconds."
                ) from None
        else:
            await self._slots.acquire()
        try:
            return await self._fetch(sql, arguments)
        finally:
            self._slots.release()

    async def _fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        connection = self._pop_idle()
        if connection is not None:
            try:
                return await self._fetch_on(connection, sql, arguments)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
        # The retry opens a connection: the other idle ones may have died together with the first.
        return await self._fetch_on(await self._connect(), sql, arguments)

    async def _fetch_on(self, connection: asyncpg.Connection, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        try:
            records = await connection.fetch(sql, *arguments)
        except asyncpg.PostgresError as error:
            lost = connection.is_closed() or (error.sqlstate or "").startswith(("08", "57P"))
            self._release(connection, lost)
            raise _error(sql, error, lost) from error
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            # An InterfaceError can also be a value that does not fit its column, on a working connection. An
            # InternalClientError comes from a connection that the server closed between two reads.
            lost = not isinstance(error, asyncpg.InterfaceError) or connection.is_closed()
            self._release(connection, lost)
            raise _error(sql, error, lost) from error
        except BaseException:
            # Cancelled: the rest of the result may still arrive on this connection.
            self._release(connection, lost=True)
            raise
        self._idle.append(connection)
        return records

    def _pop_idle(self) -> asyncpg.Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _release(self, connection: asyncpg.Connection, lost: bool) -> None:
        if lost:
            connection.terminate()
        else:
            self._idle.append(connection)

    async def _connect(self) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                **self._options,
                timeout=_TIMEOUT_SECONDS,
                # Each statement is prepared once per connection, whatever its length, and stays prepared.
                statement_cache_size=1_000,
                max_cached_statement_lifetime=0,
                max_cacheable_statement_size=0,
                # Compiling a read takes as long as running the longest one.
                server_settings={"jit": "off"},
            )
        except asyncpg.PostgresError as error:
            raise OperationalError("connect", None, error, hide_parameters=True) from error
        except (OSError, TimeoutError) as error:
            raise _error("connect", error, lost=True) from error

    async def close(self) -> None:
        """Closes the idle connections."""
        while (connection := self._pop_idle()) is not None:
            await connection.close(timeout=5)


def _error(sql: str, error: Exception, lost: bool) -> DBAPIError:
    kind = OperationalError if lost else DBAPIError
    return kind(sql, None, error, hide_parameters=True, connection_invalidated=lost)


class SqlitePool:
    """A few threads, each with its own connection to the file."""

    def __init__(self, file: str, connect_options: Mapping[str, Any], pragmas: Sequence[str]) -> None:
        self._file, self._options, self._pragmas = file, connect_options, pragmas
        self._threads = ThreadPoolExecutor(_SQLITE_THREADS, thread_name_prefix="read")
        self._thread_local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Returns all records of one statement. Raises DBAPIError as SQLAlchemy does."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._fetch, sql, arguments)
        except sqlite3.Error as error:
            kind = OperationalError if isinstance(error, sqlite3.OperationalError) else DBAPIError
            raise kind(sql, None, error, hide_parameters=True) from error

    def _fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        connection: sqlite3.Connection | None = getattr(self._thread_local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._thread_local.connection = connection
            self._connections.append(connection)
        return connection.execute(sql, arguments).fetchall()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file, isolation_level=None, cached_statements=500, check_same_thread=False, **self._options
        )
        for pragma in self._pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    async def close(self) -> None:
        """Waits for running reads, then closes the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        while self._connections:
            self._connections.pop().close()
