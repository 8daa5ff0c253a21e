"""`demo` adds a provider with any number of made-up learners; the demo itself is made by the first `serve`."""

import argparse
from collections.abc import Sequence

from commands.database_session import with_database
from db.database import Database
from services.demo.accounts import PASSWORD, DemoAccount
from services.demo.cohort import build_cohort
from services.settings import Settings
from services.storage.file_store import open_store


def run_demo(settings: Settings, arguments: argparse.Namespace) -> int:
    """Adds the learners and prints who can sign in."""

    async def work(database: Database) -> int:
        store = open_store(settings.files_location)
        accounts = await build_cohort(database, store, learners=arguments.learners, seed=arguments.seed, progress=True)
        print_accounts(accounts)
        return 0

    return with_database(settings, work, migrated=True)


def print_accounts(accounts: Sequence[DemoAccount]) -> None:
    """Prints the usernames with the password that they share."""
    print(f"Sign in with the password {PASSWORD} as:\n")
    width = max(len(account.username) for account in accounts)
    for account in accounts:
        print(f"  {account.username:<{width}}  {account.name}, {account.note}")
