"""What `serve` does before the server starts: makes the demo, or checks that this version can serve the tables."""

import asyncio
from contextlib import suppress

from commands.database_session import open_database
from commands.demo import print_accounts
from db.migrate import migrate
from db.table_version import table_problem
from services.demo.accounts import ACCOUNTS
from services.demo.builder import DemoExists, build_demo
from services.demo.report_orders import order_reports
from services.settings import Settings
from services.storage.file_store import open_store


def prepare(settings: Settings) -> None:
    """Migrates the demo's database and fills it once.

    Raises SystemExit if this version cannot serve the tables of another database.
    """

    async def work() -> None:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = open_database(settings)
        try:
            if settings.is_demo:
                await migrate(database)
                with suppress(DemoExists):
                    await build_demo(database, open_store(settings.files_location), progress=True)
                    await order_reports(database)
            elif (problem := await table_problem(database)) is not None:
                raise SystemExit(problem)
        finally:
            await database.close()

    asyncio.run(work())
    if settings.is_demo:
        print_accounts(ACCOUNTS)
    print(f"\nWaymark: http://{settings.host}:{settings.port}/graphql\n", flush=True)
