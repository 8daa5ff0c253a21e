"""`demo` adds a cohort of any size; the demo itself is made when a server without a database starts for the first time."""

import argparse
import asyncio
from collections.abc import Sequence
from typing import Any

from commands.database_session import fail, with_database
from db.database import Database
from db.migrate import migrate, missing_migrations
from services.demo.accounts import ACCOUNTS, PASSWORD, DemoAccount
from services.demo.builder import DemoExists, build_demo
from services.demo.cohort import build_cohort
from services.settings import Settings
from services.storage.file_store import open_store


def add(commands: Any) -> None:
    """Adds the command."""
    making = commands.add_parser(
        "demo", help="add a provider with a cohort of made-up learners, for trying things at size"
    )
    making.add_argument("--learners", type=_count, required=True, help="how many learners")
    making.add_argument("--seed", type=int, default=2026, help="the same seed makes the same cohort (2026)")
    making.set_defaults(run=_cohort)


def prepare(settings: Settings) -> None:
    """Before serving: the demo is made on its first start; any other database has to be up to date already."""

    async def work() -> None:
        settings.data.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        try:
            if settings.is_demo:
                await migrate(database)
                try:
                    await build_demo(database, open_store(settings.files_location), progress=True)
                except DemoExists:
                    pass
            elif await missing_migrations(database):
                raise SystemExit("The tables are older than this version: run `server.py migrate` first.")
        finally:
            await database.close()

    asyncio.run(work())
    if settings.is_demo:
        _print_sign_ins(ACCOUNTS)
    print(f"\nWaymark: http://{settings.host}:{settings.port}/graphql\n", flush=True)


def _cohort(settings: Settings, asked: argparse.Namespace) -> int:
    async def work(database: Database) -> int:
        if await missing_migrations(database):
            return fail("The tables are older than this version: run `server.py migrate` first.")
        store = open_store(settings.files_location)
        _print_sign_ins(await build_cohort(database, store, learners=asked.learners, seed=asked.seed, progress=True))
        return 0

    return with_database(settings, work)


def _print_sign_ins(sign_ins: Sequence[DemoAccount]) -> None:
    print(f"Sign in with the password {PASSWORD} as:\n")
    width = max(len(entry.username) for entry in sign_ins)
    for entry in sign_ins:
        print(f"  {entry.username:<{width}}  {entry.name}, {entry.note}")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError("a whole number from 1 to 1,000,000")
    return int(text)
