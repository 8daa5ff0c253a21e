"""The database: one engine for reads that never begin a transaction, one for writes that always do.

Reads run in autocommit (no BEGIN, no ROLLBACK); writes in one transaction, on SQLite with the write lock taken at once,
so that two writers wait for each other instead of failing half-way.
"""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

from sqlalchemy import CompoundSelect, Engine, Row, Select, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from db.compiled_select import CompiledSelect, CompiledSelectCache
from db.models import registry as tables  # noqa: F401  the mapper needs every table before the first session
from db.read_pool import PostgresPool, SqlitePool
from db.replica import Replica

# How many SQL statements the running operation has sent; a list of one number, so that tasks share it.
statement_count: ContextVar[list[int] | None] = ContextVar("statement_count", default=None)

# Each kind of SQLite connection is told the same: durable, checked, patient.
_SQLITE_PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=20000", "cache_size=-65536",
    # What is erased is overwritten, not only let go.
    "secure_delete=ON",
)  # fmt: skip


class Database:
    """The tables behind two doors: `reading()` and `writing()`.

    `url` is an SQLAlchemy URL: `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…` (`sqlite://` and `postgresql://` are
    read as those). `read_url` names a replica for reads; a viewer who has just written reads from the primary.
    """

    def __init__(self, url: str, read_url: str | None = None, pool_size: int = 16) -> None:
        self.url = _with_driver(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self._write_engine = _make_engine(self.url, pool_size)
        primary_reads = _make_engine(self.url, pool_size) if self.is_sqlite else self._write_engine
        self._primary_reads = primary_reads.execution_options(isolation_level="AUTOCOMMIT")
        self._replica = _make_engine(_with_driver(read_url), pool_size) if read_url else None
        self._reads = (
            self._replica.execution_options(isolation_level="AUTOCOMMIT") if self._replica else self._primary_reads
        )
        self._engines = {
            engine.sync_engine: engine for engine in (self._write_engine, primary_reads, self._replica) if engine
        }
        self._primary_pool = _make_pool(primary_reads, pool_size)
        self.replica = Replica(self._primary_pool, _make_pool(self._replica, pool_size)) if self._replica else None
        self._plans = CompiledSelectCache(primary_reads.dialect)
        # Told of each read's SQL, when it began and ended (seconds of the performance counter), and its error's class.
        self.watchers: list[Callable[[str, float, float, str | None], None]] = []
        # SQLite has one writer: waiting here, in order, costs less than its busy handler.
        self._writer = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def reading(self, primary: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection in autocommit, back to the pool at the end. `primary`: not from a replica."""
        async with (self._primary_reads if primary else self._reads).connect() as connection:
            yield connection

    async def rows(
        self,
        statement: Select[Any] | CompoundSelect[Any],
        parameters: Mapping[str, Any] | None = None,
        primary: bool = False,
    ) -> Sequence[Row[Any]]:
        """All rows of one read, on the short way: compiled once a statement, then straight to the driver.

        Raises what SQLAlchemy would raise. A connection that died while the database was away is replaced unseen, and
        what a replica does not answer is read from the primary.
        """
        plan = self._plans.plan(statement)
        return plan.rows(await self._read(plan, parameters, primary))

    async def columns(
        self,
        statement: Select[Any] | CompoundSelect[Any],
        parameters: Mapping[str, Any] | None = None,
        primary: bool = False,
    ) -> list[Iterable[Any]]:
        """As `rows`, but whole columns: each an iterable that is read once. No column where there is no row."""
        plan = self._plans.plan(statement)
        return plan.columns(await self._read(plan, parameters, primary))

    async def _read(
        self, plan: CompiledSelect, parameters: Mapping[str, Any] | None, primary: bool
    ) -> Sequence[Any]:
        arguments = plan.arguments(parameters or {})
        _count_statement()
        from_replica = not (primary or self.replica is None)
        if not self.watchers:
            return await self._fetch(plan.sql, arguments, from_replica)
        began, error = time.perf_counter(), None
        try:
            return await self._fetch(plan.sql, arguments, from_replica)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            for watch in self.watchers:
                watch(plan.sql, began, time.perf_counter(), error)

    async def _fetch(self, sql: str, arguments: Sequence[Any], from_replica: bool) -> Sequence[Any]:
        if from_replica and self.replica is not None:
            try:
                return await self.replica.pool.fetch(sql, arguments)
            except (DBAPIError, PoolTimeout) as error:
                # Away, overcrowded, or it had to take back what the read was looking at.
                if isinstance(error, DBAPIError) and not error.connection_invalidated and _state(error) != "40001":
                    raise
                self.replica.mark_unreachable()
        return await self._primary_pool.fetch(sql, arguments)

    def replica_has_write(self, last_write_at: dt.datetime | None) -> bool:
        """Whether reads may go to the replica for somebody who last wrote then; False where there is none."""
        return self.replica is not None and self.replica.has_write(last_write_at)

    @asynccontextmanager
    async def monitoring(self) -> AsyncIterator[None]:
        """Keeps an eye on the replica, if there is one; without it all reads go to the primary."""
        if self.replica is None:
            yield
            return
        async with self.replica.monitoring():
            yield

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back by an exception."""
        if self._writer is None:
            async with AsyncSession(self._write_engine, expire_on_commit=False, autoflush=False) as session:
                async with session.begin():
                    yield session
            return
        async with self._writer, AsyncSession(self._write_engine, expire_on_commit=False, autoflush=False) as session:
            async with session.begin():
                yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """One moment of the database, for checks and exports that read much of it; no writer waits for it."""
        options = (
            {"reads_only": True}
            if self.is_sqlite
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        engine = self._write_engine.execution_options(**options)
        async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as session, session.begin():
            yield session

    @property
    def sync_engines(self) -> list[Engine]:
        """For what watches statements."""
        return list(self._engines)

    async def ping(self) -> None:
        """Raises where the database does not answer."""
        async with self.reading(primary=True) as connection:
            await connection.execute(text("select 1"))

    @property
    def select_cache_counts(self) -> tuple[int, int]:
        """How often a read's statement was compiled already, and how often it was not."""
        return self._plans.hits, self._plans.misses

    async def tune(self) -> None:
        """Lets SQLite look at what is in its tables, so that it knows which index leads to a few rows and which to a whole
        provider's. PostgreSQL sees to that by itself."""
        if not self.is_sqlite:
            return
        # Where it cannot be written down, on a full disk, reads are slower and nothing else.
        with suppress(OperationalError):
            await self._analyse()

    async def _analyse(self) -> None:
        async with self._write_engine.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            # So many entries of an index are looked at, however large it is.
            await autocommit.exec_driver_sql("PRAGMA analysis_limit=1000")
            await autocommit.exec_driver_sql("ANALYZE")

    async def close(self) -> None:
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


def _make_pool(engine: AsyncEngine, size: int) -> PostgresPool | SqlitePool:
    positional, named = engine.dialect.create_connect_args(engine.url)
    if engine.dialect.name == "sqlite":
        named.pop("check_same_thread", None)
        return SqlitePool(positional[0], named, _SQLITE_PRAGMAS)
    return PostgresPool(engine.url, named, size)


def _state(error: DBAPIError) -> str | None:
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
    # Called for reads too: in autocommit there is nothing to begin.
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN" if options.get("reads_only") else "BEGIN IMMEDIATE")
