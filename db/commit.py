"""Waits for the write lock, ends a write transaction and commits it, also where the connection is lost meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from db.flush import flush
from db.history import daily_rows
from db.outages import CommitOutcomeUnknown


@asynccontextmanager
async def in_turn(lock: asyncio.Lock, seconds: float | None) -> AsyncIterator[None]:
    """Holds the lock of the one writer. Raises SQLAlchemy's TimeoutError if it is not free within the seconds."""
    try:
        async with asyncio.timeout(seconds):
            await lock.acquire()
    except TimeoutError:
        raise PoolTimeout(f"No write began within {seconds} seconds, because others had not ended.") from None
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def transaction(session: AsyncSession) -> AsyncIterator[None]:
    """Commits the session with its history at the end of the block; rolls back after an exception."""
    try:
        yield
        await flush_all(session)
    except BaseException:
        await session.rollback()
        raise
    await commit(session)


async def flush_all(session: AsyncSession) -> None:
    """Sends what has changed, and the history of it. Raises what SQLAlchemy raises."""
    await flush(session)
    await daily_rows.record(session)


async def commit(session: AsyncSession) -> None:
    """Commits a session that is flushed.

    Raises what SQLAlchemy raises if the database refused the commit. Raises CommitOutcomeUnknown if the connection was
    lost after COMMIT was sent: the server may have committed before its answer was lost.
    """
    try:
        await session.commit()
    except DBAPIError as error:
        if error.connection_invalidated and not _was_never_sent(error):
            raise CommitOutcomeUnknown from error
        raise


def _was_never_sent(error: DBAPIError) -> bool:
    # asyncpg sends nothing on a connection that it knows to be closed, and says so with its InterfaceError.
    cause: BaseException | None = error.orig
    while cause is not None and not isinstance(cause, asyncpg.InterfaceError):
        cause = cause.__cause__
    return isinstance(cause, asyncpg.InterfaceError)
