"""Statements of a write transaction that the driver gets directly, each compiled once.

On PostgreSQL SQLAlchemy calls some 250 Python functions for a statement of a session, the driver itself about 40. What
`send` sends is part of the session's transaction and runs in order with its other statements. It does not see objects
of the session that are not flushed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from db.cached_statement import CachedStatement
from db.compiled_select import AnyStatement, CompiledSelectCache
from db.read_pool import DRIVER_ERRORS, driver_error

_KEY = "direct_statements"

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
    direct: DirectStatements | None = session.sync_session.info.get(_KEY)
    if direct is not None:
        return await direct.rows(statement, parameters or {})
    executed: Any = await statement if isinstance(statement, CachedStatement) else statement
    result: Any = await session.execute(executed, parameters)
    # A result of an insert or update may have no rows; one of mapped columns always has, and does not say so.
    return result.all() if getattr(result, "returns_rows", True) else ()


class DirectStatements:
    """The direct statements of one session on PostgreSQL, which `send` finds with the session.

    `count` is called before each statement; `on_error` gets each error as SQLAlchemy raises it.
    """

    def __init__(
        self,
        session: AsyncSession,
        statements: CompiledSelectCache,
        count: Callable[[], None],
        listeners: Sequence[StatementListener],
        on_error: Callable[[DBAPIError], None],
    ) -> None:
        self._session = session
        self._statements = statements
        self._count = count
        self._listeners = listeners
        self._on_error = on_error
        # SQLAlchemy's adapter of the session's connection; None before the first statement.
        self._adapter: Any = None
        session.sync_session.info[_KEY] = self

    async def rows(self, statement: AnyStatement, parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Returns the rows of a statement."""
        compiled = self._statements.find(statement) or await self._statements.compile(statement)
        arguments = compiled.arguments(parameters)
        self._count()
        if not self._listeners:
            return compiled.rows(await self._fetch(compiled.sql, arguments))
        began, error = time.perf_counter(), None
        try:
            return compiled.rows(await self._fetch(compiled.sql, arguments))
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            for listener in self._listeners:
                listener(compiled.sql, began, time.perf_counter(), error)

    async def _fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        adapter = self._adapter
        if adapter is None:
            connection = (await self._session.connection()).sync_connection
            assert connection is not None
            adapter = self._adapter = connection.connection.dbapi_connection
        driver = adapter.driver_connection
        try:
            # SQLAlchemy begins a transaction with the first statement that it sends itself.
            if adapter._transaction is None:
                await adapter._start_transaction()
            return cast("Sequence[Any]", await driver.fetch_prepared(sql, arguments))
        except (adapter.dbapi.Error, *DRIVER_ERRORS) as error:
            # Of the BEGIN the adapter raises an error of its own, with the driver's as its cause.
            cause = error if isinstance(error, DRIVER_ERRORS) else error.__cause__
            assert isinstance(cause, DRIVER_ERRORS)
            raised = driver_error(sql, cause, driver)
            if raised.connection_invalidated:
                await self._invalidate()
            self._on_error(raised)
            raise raised from cause
        except BaseException:
            # Cancelled: the rest of the result may still arrive on this connection, or the BEGIN be carried out.
            await self._invalidate()
            raise

    async def _invalidate(self) -> None:
        # The session's rollback follows, which an invalid connection answers without the server.
        adapter, self._adapter = self._adapter, None
        adapter.driver_connection.terminate()
        await (await self._session.connection()).invalidate()
