"""Reads and writes of the database.

A read runs in autocommit (no BEGIN, no ROLLBACK), a write in one transaction. On SQLite a write takes the write lock at
its start, so that concurrent writers wait for each other instead of failing half-way.
"""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, Row, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.commit import commit, flush_all, in_turn, transaction
from db.compiled_select import CompiledSelect, CompiledSelectCache, Readable
from db.direct_statements import DirectStatements, StatementListener
from db.engines import EngineMaker, Expiry, with_driver
from db.flush import flush
from db.models import registry as tables  # noqa: F401  the mapper needs all tables before the first session
from db.outages import OutageLog, is_away, sqlstate_of
from db.postgres_connection import ConnectionOptions
from db.read_pool import PoolCounts, engine_counts
from db.replica import Replica
from db.write_pool import WritePool
from db.write_session import WriteSession

# The number of SQL statements of the running operation; in a list, so that the operation's tasks share it.
statement_count: ContextVar[list[int] | None] = ContextVar("statement_count", default=None)

# Connections of checks and exports that read one snapshot.
SNAPSHOT_POOL_SIZE = 4
_READ_ONLY = "25006"  # PostgreSQL refuses a write in a read-only transaction, as on a standby.
_CONFLICT_WITH_REPLAY = "40001"
_NO_LIMITS = ConnectionOptions()


class Database:
    """One database, with its connection pools.

    `url` is an SQLAlchemy URL: `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`, or short `sqlite://` and
    `postgresql://`. `read_url` names a replica for reads; a viewer who has just written reads from the primary.
    `options` limits how long a statement may take, and names the connection pooler in front of the database.
    """

    def __init__(
        self,
        url: str,
        read_url: str | None = None,
        pool_size: int = 16,
        options: ConnectionOptions = _NO_LIMITS,
    ) -> None:
        self.url = with_driver(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self.options = options
        make = EngineMaker(options)
        self._write_engine = make.engine(self.url, pool_size)
        # Checks and exports have few connections of their own: they use them for long.
        self._snapshot_engine = make.engine(self.url, SNAPSHOT_POOL_SIZE, overflow=0)
        primary = make.engine(self.url, pool_size) if self.is_sqlite else self._write_engine
        replica = make.engine(with_driver(read_url), pool_size) if read_url else None
        self._primary_reads = primary.execution_options(isolation_level="AUTOCOMMIT")
        self._reads = replica.execution_options(isolation_level="AUTOCOMMIT") if replica else self._primary_reads
        engines = (self._write_engine, self._snapshot_engine, primary, *([replica] if replica else ()))
        self._engines = {each.sync_engine: each for each in engines}
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", _count_statement)
        event.listen(self._write_engine.sync_engine, "handle_error", self._note_write_error)
        self._expiries = [Expiry(self._write_engine), Expiry(self._snapshot_engine)]
        self._write_pool = None if self.is_sqlite else WritePool(self._write_engine, pool_size)
        self._primary_pool = make.read_pool(primary, pool_size)
        # Outages of the primary, as reads and writes meet them.
        self.outages = OutageLog("database")
        self.replica: Replica | None = None
        if replica is not None:
            pool = make.read_pool(replica, pool_size, repeats=False)
            self.replica = Replica(self._primary_pool, pool, self.outages)
        self._selects, self._direct = (CompiledSelectCache.of_process(primary.dialect, each) for each in (False, True))
        # Called after each read, and after each statement of a write that goes to the driver directly.
        self.read_listeners: list[StatementListener] = []
        # SQLite has one writer. Writers queue here, which costs less than SQLite's busy handler.
        self._write_lock = asyncio.Lock()

    @asynccontextmanager
    async def reading(self, primary: bool = False) -> AsyncIterator[AsyncConnection]:
        """Yields a connection in autocommit. `primary`: never to the replica."""
        async with (self._primary_reads if primary else self._reads).connect() as connection:
            yield connection

    async def rows(
        self,
        statement: Readable,
        parameters: Mapping[str, Any] | None = None,
        primary: bool = False,
        stand_in: bool = False,
    ) -> Sequence[Row[Any]]:
        """Returns all rows of one read. A statement is built and compiled once, then sent directly by the driver.

        `primary`: never to the replica, unless `stand_in` allows it while the primary is away. Raises what SQLAlchemy
        raises. A connection that died is replaced and the read sent again; a read that the replica does not answer goes
        to the primary.
        """
        compiled = self._selects.find(statement) or await self._selects.compile(statement)
        if stand_in and self.replica is not None and self.replica.stands_in:
            primary = False
        return compiled.rows(await self._read(compiled, parameters, primary))

    async def columns(
        self,
        statement: Readable,
        parameters: Mapping[str, Any] | None = None,
        primary: bool = False,
    ) -> list[Iterable[Any]]:
        """As `rows`, but returns columns, each an iterable for one pass; an empty list if there is no row."""
        compiled = self._selects.find(statement) or await self._selects.compile(statement)
        return compiled.columns(await self._read(compiled, parameters, primary))

    async def _read(
        self, compiled: CompiledSelect, parameters: Mapping[str, Any] | None, primary: bool
    ) -> Sequence[Any]:
        arguments = compiled.arguments(parameters or {})
        _count_statement()
        if not self.read_listeners:
            return await self._fetch(compiled.sql, arguments, primary)
        began, error = time.perf_counter(), None
        try:
            return await self._fetch(compiled.sql, arguments, primary)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            for listener in self.read_listeners:
                listener(compiled.sql, began, time.perf_counter(), error)

    async def _fetch(self, sql: str, arguments: Sequence[Any], primary: bool) -> Sequence[Any]:
        if not (primary or self.replica is None):
            try:
                return await self.replica.pool.fetch(sql, arguments)
            except (DBAPIError, PoolTimeout) as error:
                # Unreachable, overloaded, or it cancelled the read because replay conflicted with it.
                conflict = sqlstate_of(error) == _CONFLICT_WITH_REPLAY
                if isinstance(error, DBAPIError) and not (error.connection_invalidated or conflict):
                    raise
                self.replica.mark_unreachable(None if conflict else error)
        try:
            records = await self._primary_pool.fetch(sql, arguments)
        except (DBAPIError, PoolTimeout) as error:
            if is_away(error):
                self._note_outage(error)
            raise
        if self.outages.since is not None:
            self.outages.worked()
        return records

    def replica_has_write(self, last_write_at: dt.datetime | None) -> bool:
        """Returns whether the replica can be read by a viewer whose last write was at that time."""
        return self.replica is not None and self.replica.has_write(last_write_at)

    @asynccontextmanager
    async def monitoring(self) -> AsyncIterator[None]:
        """Polls the replica, if there is one, for the length of the block; otherwise all reads go to the primary."""
        if self.replica is None:
            yield
        else:
            async with self.replica.monitoring():
                yield

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Yields a session in one transaction: committed at the end of the block, rolled back by an exception.

        Raises CommitOutcomeUnknown if the connection is lost during the commit.
        """
        pool = self._write_pool
        if pool is None:
            async with (
                in_turn(self._write_lock, self.options.statement_seconds),
                AsyncSession(self._write_engine, expire_on_commit=False, autoflush=False) as session,
            ):
                await session.begin()
                async with transaction(session):
                    yield session
            return
        connection = await pool.acquire()
        try:
            direct = DirectStatements(connection, self._direct, _count_statement, self.read_listeners, self._note_error)
            session = WriteSession(direct, flush)
            # As `transaction`, without a context manager of its own.
            try:
                yield session
                await flush_all(session)
            except BaseException:
                await session.rollback()
                raise
            await commit(session)
            await session.close()
        finally:
            pool.release(connection)

    def _note_write_error(self, context: Any) -> None:
        translated = getattr(context, "chained_exception", None)
        self._note_error(translated or context.sqlalchemy_exception or context.original_exception)

    def _note_error(self, error: BaseException) -> None:
        if is_away(error):
            self._note_outage(error)
        elif sqlstate_of(error) == _READ_ONLY:
            # A standby answers at this address. Reads must not take its state for the primary's either.
            self.expire_connections()

    def _note_outage(self, error: BaseException) -> None:
        self.outages.failed(error)
        if not isinstance(error, PoolTimeout):
            # The other connections may be dead too, and would each be found out by a request that waits for them.
            self.expire_connections()

    def expire_connections(self) -> None:
        """Replaces every connection to the primary before its next use, because their server may have stopped."""
        self._primary_pool.expire()
        for each in self._expiries:
            each.expire()
        if self._write_pool is not None:
            self._write_pool.expire()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """Yields a session that sees one snapshot of the database, for checks and exports; it blocks no writer."""
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        if self.is_sqlite:
            options = {"read_only": True}
        engine = self._snapshot_engine.execution_options(**options)
        async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as session, session.begin():
            yield session

    @property
    def sync_engines(self) -> list[Engine]:
        """The engines, for listeners of SQLAlchemy's events."""
        return list(self._engines)

    async def read_state(self, sql: str) -> Sequence[Any]:
        """Returns the records of a fixed SELECT about the server itself, from the primary."""
        return await self._fetch(sql, (), primary=True)

    @property
    def select_cache_counts(self) -> tuple[int, int]:
        """(hits, misses) of the cache of compiled selects, which the databases of one kind in a process share."""
        return self._selects.hits, self._selects.misses

    def pool_counts(self) -> dict[str, PoolCounts]:
        """Returns the use of each connection pool by its name."""
        counts = {
            "reads": self._primary_pool.counts(),
            "writes": self._write_pool.counts() if self._write_pool else engine_counts(self._write_engine),
            "snapshots": engine_counts(self._snapshot_engine),
        }
        if self.replica is not None:
            counts["replica"] = self.replica.pool.counts()
        return counts

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
        if self._write_pool is not None:
            await self._write_pool.close()
        await self._primary_pool.close()
        if self.replica is not None:
            await self.replica.pool.close()
        for engine in self._engines.values():
            await engine.dispose()


def _count_statement(*_: Any) -> None:
    if (count := statement_count.get()) is not None:
        count[0] += 1
