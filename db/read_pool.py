"""Connections for reads alone, straight on the driver: a read is one round trip on PostgreSQL, one thread's visit on SQLite.

Nothing is begun, rolled back or reset between reads, because a read leaves nothing behind.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# How long a read waits for a connection, and a connection to be opened.
_PATIENCE_SECONDS = 10
_SQLITE_THREADS = 4
# SQLAlchemy's own words in a URL, which the driver does not know.
_NOT_THE_DRIVERS = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback")


class PostgresPool:
    """Up to `size` connections, opened as they are needed; the one used last is used next, with its statements prepared.

    A connection that turns out to be dead is replaced and the read sent once more: it changes nothing to read twice.
    """

    def __init__(self, url: URL, connect_options: dict[str, Any], size: int) -> None:
        self._options = {name: value for name, value in connect_options.items() if name not in _NOT_THE_DRIVERS}
        self._free: list[asyncpg.Connection] = []
        self._places = asyncio.Semaphore(size)
        self._name = url.render_as_string(hide_password=True)

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """All records of one statement. DBAPIError as SQLAlchemy raises it; its own TimeoutError when all are busy."""
        if self._places.locked():
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._places.acquire()
            except TimeoutError:
                raise PoolTimeout(f"no connection to {self._name} was free in {_PATIENCE_SECONDS} seconds") from None
        else:
            await self._places.acquire()
        try:
            return await self._fetch(sql, arguments)
        finally:
            self._places.release()

    async def _fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        connection = self._take()
        if connection is not None:
            try:
                return await self._on(connection, sql, arguments)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
        # None was there, or it had died in the pool: whatever else is in there may have died with it.
        return await self._on(await self._open(), sql, arguments)

    async def _on(self, connection: asyncpg.Connection, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        try:
            found = await connection.fetch(sql, *arguments)
        except asyncpg.PostgresError as error:
            gone = connection.is_closed() or (error.sqlstate or "").startswith(("08", "57P"))
            self._put(connection, broken=gone)
            kind = OperationalError if gone else DBAPIError
            raise kind(sql, None, error, hide_parameters=True, connection_invalidated=gone) from error
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            # A value that does not fit its column is an InterfaceError too, on a connection that is well. An internal
            # one comes of a connection whose end was announced between two reads.
            gone = not isinstance(error, asyncpg.InterfaceError) or connection.is_closed()
            self._put(connection, broken=gone)
            kind = OperationalError if gone else DBAPIError
            raise kind(sql, None, error, hide_parameters=True, connection_invalidated=gone) from error
        except BaseException:
            # Cancelled half-way: what is still to come on it belongs to nobody.
            self._put(connection, broken=True)
            raise
        self._free.append(connection)
        return found

    def _take(self) -> asyncpg.Connection | None:
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        return None

    def _put(self, connection: asyncpg.Connection, broken: bool) -> None:
        if broken:
            connection.terminate()
        else:
            self._free.append(connection)

    async def _open(self) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                **self._options,
                timeout=_PATIENCE_SECONDS,
                # Each statement is prepared once a connection, however long it is, and for as long as that lives.
                statement_cache_size=1_000,
                max_cached_statement_lifetime=0,
                max_cacheable_statement_size=0,
                # Compiling a read takes as long as running the longest of them.
                server_settings={"jit": "off"},
            )
        except asyncpg.PostgresError as error:
            raise OperationalError("connect", None, error, hide_parameters=True) from error
        except (OSError, TimeoutError) as error:
            raise OperationalError("connect", None, error, hide_parameters=True, connection_invalidated=True) from error

    async def close(self) -> None:
        """Closes what is open."""
        while (connection := self._take()) is not None:
            await connection.close(timeout=5)


class SqlitePool:
    """A few threads, each with a connection of its own to the file."""

    def __init__(self, file: str, options: dict[str, Any], pragmas: Sequence[str]) -> None:
        self._file, self._options, self._pragmas = file, options, pragmas
        self._threads = ThreadPoolExecutor(_SQLITE_THREADS, thread_name_prefix="read")
        self._own = threading.local()
        self._open: list[sqlite3.Connection] = []

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """All records of one statement. DBAPIError as SQLAlchemy raises it."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._fetch, sql, arguments)
        except sqlite3.Error as error:
            kind = OperationalError if isinstance(error, sqlite3.OperationalError) else DBAPIError
            raise kind(sql, None, error, hide_parameters=True) from error

    def _fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._file, isolation_level=None, cached_statements=500, check_same_thread=False, **self._options
            )
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
            self._own.connection = connection
            self._open.append(connection)
        return connection.execute(sql, arguments).fetchall()

    async def close(self) -> None:
        """Waits for what runs, and closes what is open."""
        await asyncio.to_thread(self._threads.shutdown)
        while self._open:
            self._open.pop().close()
