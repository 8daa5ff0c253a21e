"""What the commands share: a database that is open for as long as one of them runs."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from db.database import Database
from services.settings import Settings


def with_database(settings: Settings, work: Callable[[Database], Awaitable[int]]) -> int:
    """Runs a command on the installation's database; gives its exit status."""

    async def run() -> int:
        settings.data.mkdir(parents=True, exist_ok=True)
        opened = Database(settings.database_url)
        try:
            return await work(opened)
        finally:
            await opened.close()

    return asyncio.run(run())


def fail(message: str) -> int:
    """Says what is wrong, for whoever sits in front of the terminal."""
    print(message, file=sys.stderr)
    return 1
