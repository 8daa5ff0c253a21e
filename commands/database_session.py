"""What the commands share: an open database while a command runs, and the way to report a failure."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from db.database import Database
from db.postgres_connection import ConnectionOptions, Pooler
from db.table_version import table_problem
from services.settings import Settings


def open_database(settings: Settings) -> Database:
    """Opens the installation's database, without a limit for statements: nobody waits for a command's answer."""
    return Database(settings.database_url, options=ConnectionOptions(None, Pooler(settings.pooler)))


def with_database(settings: Settings, work: Callable[[Database], Awaitable[int]], *, migrated: bool = False) -> int:
    """Runs `work` on the installation's database; returns its exit status.

    With `migrated`, refuses to work on tables that this version cannot serve.
    """

    async def run() -> int:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = open_database(settings)
        try:
            if migrated and (problem := await table_problem(database)) is not None:
                return fail(problem)
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def fail(message: str) -> int:
    """Prints what is wrong to standard error; returns the exit status of a failure."""
    print(message, file=sys.stderr)
    return 1
