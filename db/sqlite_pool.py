"""The connection pool for reads on SQLite: one call in a thread for each read."""

import asyncio
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError

from db.read_pool import PoolCounts

# In KiB if negative.
_SMALL_CACHE = "cache_size=-4096"


class SqlitePool:
    """`threads` threads, each with its own connection to the file.

    A read that takes longer than `seconds` is interrupted. None is no limit.
    """

    def __init__(
        self,
        file: str,
        connect_options: Mapping[str, Any],
        pragmas: Sequence[str],
        threads: int,
        seconds: float | None,
    ) -> None:
        self._file, self._options, self._pragmas = file, connect_options, pragmas
        self._limit, self._seconds = threads, seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="read")
        self._thread_local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        # Those that run or wait for a thread.
        self._reads: set[_Read] = set()

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Returns all records of one statement. Raises DBAPIError as SQLAlchemy does."""
        read = _Read()
        self._reads.add(read)
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._fetch, read, sql, arguments
                )
        except TimeoutError as error:
            read.interrupt()
            raise OperationalError(sql, None, error, hide_parameters=True) from error
        except sqlite3.Error as error:
            kind = OperationalError if isinstance(error, sqlite3.OperationalError) else DBAPIError
            raise kind(sql, None, error, hide_parameters=True) from error
        finally:
            self._reads.discard(read)

    def _fetch(self, read: "_Read", sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        connection: sqlite3.Connection | None = getattr(self._thread_local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._thread_local.connection = connection
            self._connections.append(connection)
        read.begin(connection)
        try:
            return connection.execute(sql, arguments).fetchall()
        finally:
            read.end()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file, isolation_level=None, cached_statements=500, check_same_thread=False, **self._options
        )
        for pragma in self._pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def of_one_thread(self) -> "SqlitePool":
        """Returns another pool of the same file, whose reads use one connection with a small cache of pages.

        It is for an export, which comes to each page once.
        """
        return SqlitePool(self._file, self._options, (*self._pragmas, _SMALL_CACHE), 1, self._seconds)

    def counts(self) -> PoolCounts:
        """Returns the pool's use at this moment."""
        reads = len(self._reads)
        in_use = min(reads, self._limit)
        return PoolCounts(in_use, len(self._connections) - in_use, self._limit, reads - in_use)

    def expire(self) -> None:
        """Does nothing: the file is always the same."""

    def abandon_reads(self) -> None:
        """Interrupts all reads that are running."""
        for read in list(self._reads):
            read.interrupt()

    async def close(self) -> None:
        """Waits for running reads, then closes the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        while self._connections:
            self._connections.pop().close()


class _Read:
    """One read, which may be interrupted while its statement runs."""

    __slots__ = ("_connection", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def begin(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def end(self) -> None:
        with self._lock:
            self._connection = None

    def interrupt(self) -> None:
        # Under the lock, so that the thread cannot begin another read on the connection meanwhile.
        with self._lock:
            if self._connection is not None:
                self._connection.interrupt()
