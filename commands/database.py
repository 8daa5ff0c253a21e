"""`migrate` brings the tables up to date; `verify` checks that nothing in them was touched behind the server's back."""

import argparse
from typing import Any

from commands.running import fail, with_database
from db.audit_chain import broken_lines
from db.engine import Database
from db.migrate import migrate
from db.progress_check import wrong_sums
from db.settings import Settings


def add(commands: Any) -> None:
    """Adds the commands."""
    migrating = commands.add_parser("migrate", help="bring the tables up to date")
    migrating.set_defaults(run=_migrate)
    verifying = commands.add_parser("verify", help="check the audit chain, the progress sums, signatures and files")
    verifying.set_defaults(run=_verify)


def _migrate(settings: Settings, _: argparse.Namespace) -> int:
    async def work(database: Database) -> int:
        await migrate(database)
        print("The tables are up to date.")
        return 0

    return with_database(settings, work)


def _verify(settings: Settings, _: argparse.Namespace) -> int:
    async def work(database: Database) -> int:
        async with database.writing() as session:
            faults = [line async for line in broken_lines(session)] + await wrong_sums(session)
        if faults:
            return fail("\n".join(faults))
        print("The audit trail is whole, and every sum is what it sums.")
        return 0

    return with_database(settings, work)
