"""`migrate` brings the tables up to date; `verify` checks that the records are as the server wrote them."""

import argparse
import sys

from commands.database_session import fail, with_database
from db.database import Database
from db.migrate import migrate
from services.audit.chain import audit_chain_heads
from services.audit.separation_check import separation_notices
from services.audit.verify import find_problems
from services.settings import Settings
from services.storage.file_store import open_store


def run_migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Runs the missing migrations."""

    async def work(database: Database) -> int:
        await migrate(database)
        print("The tables are up to date.")
        return 0

    return with_database(settings, work)


def run_verify(settings: Settings, _: argparse.Namespace) -> int:
    """Prints each problem, or that there is none and where each audit trail ends.

    Notices name what an earlier release allowed and this one does not; they do not change the exit status.
    """

    async def work(database: Database) -> int:
        count = 0
        async for problem in find_problems(database, open_store(settings.files_location)):
            print(problem, file=sys.stderr)
            count += 1
        async with database.snapshot() as session:
            async for notice in separation_notices(session):
                print(f"Notice: {notice}.", file=sys.stderr)
        if count:
            return fail("1 problem was found." if count == 1 else f"{count:,} problems were found.")
        print("No problems: the audit trail, the progress sums, the signatures and the files are all as recorded.")
        async with database.snapshot() as session:
            for head in await audit_chain_heads(session):
                print(f"The audit trail of provider {head['provider']} ends at line {head['line']}: {head['hash']}")
        return 0

    return with_database(settings, work)
