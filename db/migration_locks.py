"""Locks of migrations: one migration at a time, and none that keeps requests waiting."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.database import Database

# How long a migration waits for a lock of a table or a row: requests queue behind a waiting migration, and continue
# when it gives up. Less than PostgreSQL's deadlock_timeout (1 s), so that the migration gives up before a request is
# cancelled.
LOCK_MILLISECONDS = 500
# How often a migration that found a table locked, or another migration running, is tried again, and after how long.
LOCK_ATTEMPTS, LOCK_PAUSE_SECONDS = 120, 1.0
# The key of PostgreSQL's advisory lock that one migration at a time holds.
ADVISORY_KEY = 0x5741594D41524B
# The option of Alembic's context by which a migration that runs its own transactions counts one that is not repeated:
# a function without arguments.
COUNT_STATEMENT = "count_statement"
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"

Report = Callable[[str], None]
T = TypeVar("T")


class MigrationBlocked(Exception):
    """A migration cannot be run now: a lock was not available for two minutes, or rows are not as they must be.

    The message says which.
    """


async def retried(
    step: str, work: Callable[[], Awaitable[T]], report: Report, progress: Callable[[], int] = lambda: 0
) -> T:
    """Returns what `work` returns, which is called again if it did not get a lock.

    `step` names the work in messages. `progress` counts what of it is done and not repeated. Raises MigrationBlocked
    after LOCK_ATTEMPTS calls without progress.
    """
    attempt, done, is_reported = 0, progress(), False
    while attempt < LOCK_ATTEMPTS:
        try:
            return await work()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
                raise
        attempt = attempt + 1 if progress() == done else 1
        done = progress()
        if not is_reported:
            report(f"{step}: waits for a lock that a request or a maintenance command holds")
            is_reported = True
        await asyncio.sleep(LOCK_PAUSE_SECONDS)
    raise MigrationBlocked(
        f"Migration {step} did not get a lock. Find the transaction that holds it in pg_stat_activity, end it, and run "
        "`server.py migrate` again: it continues."
    )


@asynccontextmanager
async def transaction(connection: AsyncConnection, is_sqlite: bool) -> AsyncIterator[None]:
    """Runs the block in a transaction of a connection in autocommit, which gives up when it does not get a lock."""
    await connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
    try:
        if not is_sqlite:
            await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
        yield
        await connection.exec_driver_sql("COMMIT")
    except BaseException:
        await connection.exec_driver_sql("ROLLBACK")
        raise


@asynccontextmanager
async def only_one(database: Database, report: Report) -> AsyncIterator[None]:
    """Waits until no other process migrates the database, and keeps others from it for the length of the block."""
    if database.is_sqlite:
        # Each step takes the write lock and then looks what is left to do.
        yield
        return
    # In autocommit, because a transaction that stays open would block CREATE INDEX CONCURRENTLY.
    async with database.reading(primary=True) as connection:
        key = {"key": ADVISORY_KEY}
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            if await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
                break
            if attempt == 1:
                report("Another `server.py migrate` is running: waits for it.")
            await asyncio.sleep(LOCK_PAUSE_SECONDS)
        else:
            raise MigrationBlocked("Another `server.py migrate` is still running. Nothing was done.")
        try:
            yield
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
