"""`migrate` brings the tables up to date; `verify` checks that nothing in them was touched behind the server's back."""

import argparse
import sys
from typing import Any

from commands.database_session import fail, with_database
from db.database import Database
from db.migrate import migrate
from services.audit.chain import audit_chain_heads
from services.audit.verify import find_problems
from services.settings import Settings
from services.storage.file_store import open_store


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
        found = 0
        async for sentence in find_problems(database, open_store(settings.files_location)):
            print(sentence, file=sys.stderr)
            found += 1
        if found:
            return fail(f"{found:,} things are not as they were written.")
        print("The audit trail is whole, every sum is right, and every signature and file is what was signed and sent.")
        async with database.snapshot() as session:
            for end in await audit_chain_heads(session):
                print(f"The trail of provider {end['provider']} ends at line {end['line']}: {end['hash']}")
        return 0

    return with_database(settings, work)
