"""Makes SQLAlchemy's engines and the read pools, on SQLite and PostgreSQL, with the limits of every wait."""

import sqlite3
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from db.compiling import compile_in_thread
from db.outages import loses_connection, sqlstate_of
from db.postgres_connection import ACQUIRE_SECONDS, STATEMENTS_STAY, ConnectionOptions, connect, is_silent
from db.read_pool import PostgresPool, ReadPool
from db.sqlite_pool import SqlitePool

_SQLITE_THREADS = 4
# Seconds that SQLite waits for the lock of another process: in a server, and in a command, which nobody waits for.
_SERVER_BUSY_SECONDS, _COMMAND_BUSY_SECONDS = 4, 20


class EngineMaker:
    """Makes engines and read pools with one set of options."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        busy_seconds = _COMMAND_BUSY_SECONDS if options.statement_seconds is None else _SERVER_BUSY_SECONDS
        # For every SQLite connection: durable commits, checked foreign keys, and a limit for waiting for a lock.
        self._pragmas = (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={busy_seconds * 1000}",
            "cache_size=-65536",
            # Erased data is overwritten in the file, not only unlinked.
            "secure_delete=ON",
        )  # fmt: skip

    def engine(self, url: str, size: int, overflow: int | None = None) -> AsyncEngine:
        """Makes an engine that keeps `size` connections, and opens up to `overflow` (or `size`) more under load."""
        arguments: dict[str, Any] = {}
        if url.startswith("sqlite"):
            arguments["factory"] = RollingBackConnection
        else:
            arguments["async_creator_fn"] = partial(connect, self._options)
            if self._options.prepares:
                # The driver keeps no statement of more than 15 kB by default, and none for more than five minutes.
                arguments |= STATEMENTS_STAY
            else:
                arguments |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": _unnamed}
        engine = create_async_engine(
            url,
            pool_size=size,
            max_overflow=size if overflow is None else overflow,
            pool_timeout=ACQUIRE_SECONDS,
            pool_pre_ping=False,
            query_cache_size=1200,
            # An error of the database is no place for the values of its statement.
            hide_parameters=True,
            connect_args=arguments,
        )
        compile_in_thread(engine.sync_engine.dialect)
        event.listen(engine.sync_engine, "handle_error", _translate)
        if url.startswith("sqlite"):
            event.listen(engine.sync_engine, "connect", self._prepare_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine

    def read_pool(self, engine: AsyncEngine, size: int, repeats: bool = True) -> ReadPool:
        """Makes a read pool for the database of an engine. `repeats`: a read on a dead connection is sent again."""
        positional, named = engine.dialect.create_connect_args(engine.url)
        if engine.dialect.name == "sqlite":
            named.pop("check_same_thread", None)
            threads = min(size, _SQLITE_THREADS)
            return SqlitePool(positional[0], named, self._pragmas, threads, self._options.answer_seconds)
        return PostgresPool(engine.url, named, size, self._options, repeats)

    def _prepare_sqlite(self, connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in self._pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


class RollingBackConnection(sqlite3.Connection):
    """A connection that ends its transaction before it closes.

    SQLite keeps a closed connection, with its locks, while a cursor refers to one of its statements. A write that is
    cancelled leaves its cursor to the garbage collection, and until then no other write could begin.
    """

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()


class Expiry:
    """Replaces all connections of an engine's pool, on demand."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._generation = 0
        event.listen(engine.sync_engine, "connect", self._mark)
        event.listen(engine.sync_engine, "checkout", self._refuse_expired)

    def expire(self) -> None:
        """Replaces every connection that the pool has now before its next use."""
        self._generation += 1

    def _mark(self, _: Any, record: ConnectionPoolEntry) -> None:
        record.info["generation"] = self._generation

    def _refuse_expired(self, connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if record.info["generation"] != self._generation:
            # Closed here, because SQLAlchemy would say goodbye first, and wait two seconds for a silent server.
            if (terminate := getattr(connection.driver_connection, "terminate", None)) is not None:
                terminate()
            raise DisconnectionError


def with_driver(url: str) -> str:
    """Returns an SQLAlchemy URL with the driver that is used for its database."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    return parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername)).render_as_string(
        hide_password=False
    )


def _unnamed() -> str:
    # The unnamed statement needs no name that another client of the pooler could use too.
    return ""


def _translate(context: Any) -> Exception | None:
    """Translates an unanswered statement and a failed connect to OperationalError; drops connections that are lost."""
    error = context.original_exception
    if is_silent(error) or (context.connection is None and isinstance(error, OSError)):
        context.is_disconnect = True
        return OperationalError(context.statement, None, error, hide_parameters=True, connection_invalidated=True)
    if loses_connection(sqlstate_of(error)):
        context.is_disconnect = True
    return None


def _begin_sqlite(connection: Any) -> None:
    # SQLAlchemy calls this for reads too, which run in autocommit.
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")
