"""What `serve` does before the server starts: makes the demo, or checks that the tables are up to date."""

import asyncio
from contextlib import suppress

from commands.database_session import NOT_MIGRATED, open_database
from commands.demo import print_accounts
from db.migrate import has_pending_migrations, migrate
from services.demo.accounts import ACCOUNTS
from services.demo.builder import DemoExists, build_demo
from services.settings import Settings
from services.storage.file_store import open_store


def prepare(settings: Settings) -> None:
    """Migrates the demo's database and fills it once; raises SystemExit for any other database that is not migrated."""

    async def work() -> None:
        settings.data.mkdir(parents=True, exist_ok=True)
        database = open_database(settings)
        try:
            if settings.is_demo:
                await migrate(database)
                with suppress(DemoExists):
                    await build_demo(database, open_store(settings.files_location), progress=True)
            elif await has_pending_migrations(database):
                raise SystemExit(NOT_MIGRATED)
        finally:
            await database.close()

    asyncio.run(work())
    if settings.is_demo:
        print_accounts(ACCOUNTS)
    print(f"\nWaymark: http://{settings.host}:{settings.port}/graphql\n", flush=True)
