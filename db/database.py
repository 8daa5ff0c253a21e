"""Reads and writes of the database.

A read runs in autocommit (no BEGIN, no ROLLBACK), a write in one transaction. On SQLite a write takes the write lock at
its start, so that concurrent writers wait for each other instead of failing half-way.
"""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, Row, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from db.compiled_select import AnySelect, CompiledSelect, CompiledSelectCache
from db.models import registry as tables  # noqa: F401  the mapper needs all tables before the first session
from db.read_pool import PostgresPool, ReadPool, SqlitePool
from db.replica import Replica

# The number of SQL statements of the running operation; in a list, so that the operation's tasks share it.
statement_count: ContextVar[list[int] | None] = ContextVar("statement_count", default=None)

# For every SQLite connection: durable commits, checked foreign keys, 20 seconds to wait for a lock.
_SQLITE_PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=20000", "cache_size=-65536",
    # Erased data is overwritten in the file, not only unlinked.
    "secure_delete=ON",
)  # fmt: skip


class Database:
    """One database, with its connection pools.

    `url` is an SQLAlchemy URL: `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`, or short `sqlite://` and
    `postgresql://`. `read_url` names a replica for reads; a viewer who has just written reads from the primary.
    """

    def __init__(self, url: str, read_url: str | None = None, pool_size: int = 16) -> None:
        self.url = _with_driver(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self._write_engine = _make_engine(self.url, pool_size)
        primary = _make_engine(self.url, pool_size) if self.is_sqlite else self._write_engine
        replica = _make_engine(_with_driver(read_url), pool_size) if read_url else None
        self._primary_reads = primary.execution_options(isolation_level="AUTOCOMMIT")
        self._reads = replica.execution_options(isolation_level="AUTOCOMMIT") if replica else self._primary_reads
        self._engines = {engine.sync_engine: engine for engine in (self._write_engine, primary, replica) if engine}
        self._primary_pool = _make_pool(primary, pool_size)
        self.replica = Replica(self._primary_pool, _make_pool(replica, pool_size)) if replica else None
        self._selects = CompiledSelectCache(primary.dialect)
        # Called after each read with its SQL, its start and end (seconds of `time.perf_counter`), and the name of the
        # class of its error.
        self.read_listeners: list[Callable[[str, float, float, str | None], None]] = []
        # SQLite has one writer. Writers queue here, in order, which costs less than SQLite's busy handler.
        self._write_lock = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def reading(self, primary: bool = False) -> AsyncIterator[AsyncConnection]:
        """Yields a connection in autocommit. `primary`: never to the replica."""
        async with (self._primary_reads if primary else self._reads).connect() as connection:
            yield connection

    async def rows(
        self,
        statement: AnySelect,
        parameters: Mapping[str, Any] | None = None,
        primary: bool = False,
    ) -> Sequence[Row[Any]]:
        """Returns all rows of one read. A statement is compiled once, then sent directly by the driver.

        Raises what SQLAlchemy raises. A connection that died is replaced and the read sent again; a read that the
        replica does not answer goes to the primary.
        """
        compiled = self._selects.get(statement)
        return compiled.rows(await self._read(compiled, parameters, primary))

    async def columns(
        self,
        statement: AnySelect,
        parameters: Mapping[str, Any] | None = None,
        primary: bool = False,
    ) -> list[Iterable[Any]]:
        """As `rows`, but returns columns, each an iterable for one pass; an empty list if there is no row."""
        compiled = self._selects.get(statement)
        return compiled.columns(await self._read(compiled, parameters, primary))

    async def _read(
        self, compiled: CompiledSelect, parameters: Mapping[str, Any] | None, primary: bool
    ) -> Sequence[Any]:
        arguments = compiled.arguments(parameters or {})
        _count_statement()
        from_replica = not (primary or self.replica is None)
        if not self.read_listeners:
            return await self._fetch(compiled.sql, arguments, from_replica)
        began, error = time.perf_counter(), None
        try:
            return await self._fetch(compiled.sql, arguments, from_replica)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            for listener in self.read_listeners:
                listener(compiled.sql, began, time.perf_counter(), error)

    async def _fetch(self, sql: str, arguments: Sequence[Any], from_replica: bool) -> Sequence[Any]:
        if from_replica and self.replica is not None:
            try:
                return await self.replica.pool.fetch(sql, arguments)
            except (DBAPIError, PoolTimeout) as error:
                # Unreachable, overloaded, or it cancelled the read because replay conflicted with it (40001).
                if isinstance(error, DBAPIError) and not error.connection_invalidated and _sqlstate(error) != "40001":
                    raise
                self.replica.mark_unreachable()
        return await self._primary_pool.fetch(sql, arguments)

    def replica_has_write(self, last_write_at: dt.datetime | None) -> bool:
        """Returns whether the replica can be read by a viewer whose last write was at that time."""
        return self.replica is not None and self.replica.has_write(last_write_at)

    @asynccontextmanager
    async def monitoring(self) -> AsyncIterator[None]:
        """Polls the replica, if there is one, for the length of the block; otherwise all reads go to the primary."""
        if self.replica is None:
            yield
            return
        async with self.replica.monitoring():
            yield

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Yields a session in one transaction: committed at the end of the block, rolled back by an exception."""
        async with (
            self._write_lock or nullcontext(),
            AsyncSession(self._write_engine, expire_on_commit=False, autoflush=False) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """Yields a session that sees one snapshot of the database, for checks and exports; it blocks no writer."""
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        if self.is_sqlite:
            options = {"read_only": True}
        engine = self._write_engine.execution_options(**options)
        async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as session, session.begin():
            yield session

    @property
    def sync_engines(self) -> list[Engine]:
        """The engines, for listeners of SQLAlchemy's events."""
        return list(self._engines)

    async def ping(self) -> None:
        """Raises what SQLAlchemy raises if the database does not answer."""
        async with self.reading(primary=True) as connection:
            await connection.execute(text("select 1"))

    @property
    def select_cache_counts(self) -> tuple[int, int]:
        """(hits, misses) of the cache of compiled selects."""
        return self._selects.hits, self._selects.misses

    async def analyze(self) -> None:
        """Updates the statistics of SQLite's query planner. PostgreSQL updates its own.

        Without them SQLite does not know which index leads to a few rows and which to all rows of a provider.
        """
        if not self.is_sqlite:
            return
        # On a full disk the statistics cannot be stored. Reads are slower then, and correct.
        with suppress(OperationalError):
            async with self._write_engine.connect() as connection:
                autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                # The number of entries that are read of each index.
                await autocommit.exec_driver_sql("PRAGMA analysis_limit=1000")
                await autocommit.exec_driver_sql("ANALYZE")

    async def close(self) -> None:
        """Closes all connections."""
        await self._primary_pool.close()
        if self.replica is not None:
            await self.replica.pool.close()
        for engine in self._engines.values():
            await engine.dispose()


def _with_driver(url: str) -> str:
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    return parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername)).render_as_string(
        hide_password=False
    )


def _make_engine(url: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_timeout=10, pool_pre_ping=False, query_cache_size=1200
    )
    event.listen(engine.sync_engine, "before_cursor_execute", _count_statement)
    if url.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _make_pool(engine: AsyncEngine, size: int) -> ReadPool:
    positional, named = engine.dialect.create_connect_args(engine.url)
    if engine.dialect.name == "sqlite":
        named.pop("check_same_thread", None)
        return SqlitePool(positional[0], named, _SQLITE_PRAGMAS)
    return PostgresPool(engine.url, named, size)


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _count_statement(*_: Any) -> None:
    if (count := statement_count.get()) is not None:
        count[0] += 1


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # SQLAlchemy calls this for reads too, which run in autocommit.
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")
