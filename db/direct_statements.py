"""Statements of a write transaction that the driver gets directly, each compiled once.

On PostgreSQL SQLAlchemy calls some 250 Python functions for a statement of a session, the driver itself about 40. What
`send` sends is part of the session's transaction and runs in order with its other statements. It does not see objects
of the session that are not flushed.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from db.cached_statement import CachedStatement
from db.compiled_select import AnyStatement, CompiledSelectCache
from db.read_pool import DRIVER_ERRORS, driver_error
from db.write_pool import WriteConnection

_BEGIN = "BEGIN"
# Where the `info` of a session on PostgreSQL has its `DirectStatements`.
DRIVER = "direct_statements"

# Called after a statement with its SQL, its start and end (seconds of `time.perf_counter`), and the name of the class
# of its error.
StatementListener = Callable[[str, float, float, str | None], None]


async def send(
    session: AsyncSession, statement: AnyStatement, parameters: Mapping[str, Any] | None = None
) -> Sequence[Row[Any]]:
    """Returns the rows of a statement in the session's transaction; none of a statement that returns none.

    The statement is built once, and names all its parameters. Its tables are those of the mapper, because it neither
    loads nor changes objects of the session. Raises what SQLAlchemy raises.
    """
    direct: DirectStatements | None = session.info.get(DRIVER)
    if direct is not None:
        return await direct.rows(statement, dict(parameters or ()))
    executed: Any = await statement if isinstance(statement, CachedStatement) else statement
    result: Any = await session.execute(executed, parameters)
    # A result of an insert or update may have no rows; one of mapped columns always has, and does not say so.
    return result.all() if getattr(result, "returns_rows", True) else ()


async def send_many(
    session: AsyncSession, statement: AnyStatement, parameters: Sequence[Mapping[str, Any]]
) -> Sequence[Row[Any]]:
    """Sends a statement once for each of the parameters, on PostgreSQL in one round trip.

    Returns the rows of all of them in their order; on SQLite for several parameters none. Otherwise as `send`.
    """
    direct: DirectStatements | None = session.info.get(DRIVER)
    if direct is not None:
        return await direct.rows(statement, parameters)
    executed: Any = await statement if isinstance(statement, CachedStatement) else statement
    if len(parameters) == 1:
        return await send(session, executed, parameters[0])
    await session.execute(executed, list(parameters))
    return ()


def is_postgresql(session: AsyncSession) -> bool:
    """Returns whether the session's database is PostgreSQL."""
    return DRIVER in session.info or session.get_bind().dialect.name == "postgresql"


class DirectStatements:
    """The transaction of one session on PostgreSQL: the statements that `send` sends in it, its begin and its end.

    `count` is called before each statement; `on_error` gets each error as SQLAlchemy raises it.
    """

    def __init__(
        self,
        connection: WriteConnection,
        statements: CompiledSelectCache,
        count: Callable[[], None],
        listeners: Sequence[StatementListener],
        on_error: Callable[[DBAPIError], None],
    ) -> None:
        self.connection = connection
        self._statements = statements
        self._count = count
        self._listeners = listeners
        self._on_error = on_error

    async def rows(
        self, statement: AnyStatement, parameters: dict[str, Any] | Sequence[Mapping[str, Any]]
    ) -> Sequence[Row[Any]]:
        """Returns the rows of a statement; with several parameters, those of the statement for each of them."""
        compiled = self._statements.find(statement) or await self._statements.compile(statement)
        if isinstance(parameters, dict):
            arguments, many = compiled.arguments(parameters), False
        elif len(parameters) == 1:
            arguments, many = compiled.arguments(parameters[0]), False
        else:
            arguments, many = list(map(compiled.arguments, parameters)), True
        self._count()
        if not self._listeners:
            return compiled.rows(await self._fetch(compiled.sql, arguments, many))
        began, error = time.perf_counter(), None
        try:
            return compiled.rows(await self._fetch(compiled.sql, arguments, many))
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            for listener in self._listeners:
                listener(compiled.sql, began, time.perf_counter(), error)

    async def end(self, sql: str) -> None:
        """Ends the transaction by COMMIT or ROLLBACK, if it has begun and the connection is still there."""
        adapter = self.connection.adapter
        if adapter._transaction is None:
            return
        adapter._transaction = None
        if sql == "COMMIT" or not self.connection.driver.is_closed():
            await self._execute(sql)

    async def _fetch(self, sql: str, arguments: Sequence[Any], many: bool) -> Sequence[Any]:
        adapter, driver = self.connection.adapter, self.connection.driver
        begins = adapter._transaction is None
        if begins:
            if many:
                await self._execute(_BEGIN)
            # SQLAlchemy begins a transaction with the first statement that it sends itself, unless there is one.
            adapter._transaction = _Transaction(driver)
        try:
            found: Sequence[Any]
            if many:
                found = await driver.fetchmany(sql, arguments)
            else:
                found = await driver.fetch_prepared(sql, arguments, None, begins)
        except DRIVER_ERRORS as error:
            raise self._failure(sql, error) from error
        except BaseException:
            self._invalidate()
            raise
        return found

    async def _execute(self, sql: str) -> None:
        try:
            await self.connection.driver.execute(sql)
        except DRIVER_ERRORS as error:
            raise self._failure(sql, error) from error
        except BaseException:
            self._invalidate()
            raise

    def _failure(self, sql: str, error: Exception) -> DBAPIError:
        """Returns what SQLAlchemy raises for an error of the driver."""
        raised = driver_error(sql, error, self.connection.driver)
        if raised.connection_invalidated:
            self._invalidate()
        self._on_error(raised)
        return raised

    def _invalidate(self) -> None:
        # After a lost connection, or a cancellation: the rest of the result may still arrive, or the BEGIN be carried
        # out. The session's rollback follows, which a closed connection answers without the server.
        self.connection.driver.terminate()
        self.connection.adapter._transaction = None
        proxied = self.connection.sqlalchemy.sync_connection
        if proxied is not None and not proxied.invalidated:
            proxied.invalidate()


class _Transaction:
    """The transaction that a direct statement has begun, as SQLAlchemy's adapter ends it."""

    __slots__ = ("commit", "rollback")

    def __init__(self, driver: Any) -> None:
        self.commit: Callable[[], Awaitable[Any]] = partial(driver.execute, "COMMIT")
        self.rollback: Callable[[], Awaitable[Any]] = partial(driver.execute, "ROLLBACK")
