"""`migrate` brings the tables up to date; `verify` checks that the records are as the server wrote them."""

import argparse
import sys

from commands.database_session import fail, with_database
from db.database import Database
from db.history.complete import complete
from db.migrate import contract, expand
from db.migration_locks import MigrationBlocked
from db.table_version import migrations, table_version
from domain.text import number_of
from services.audit.chain import audit_chain_heads, unsealed_notices
from services.audit.separation_check import separation_notices
from services.audit.verify import VerifyState, find_problems
from services.settings import Settings
from services.storage.file_store import open_store


def run_migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Expands and contracts the tables, or does the one that is named."""

    async def work(database: Database) -> int:
        try:
            if not arguments.contract:
                await expand(database, print)
            elif migrations().is_expanding(await table_version(database)):
                return fail("The tables are not expanded: run `server.py migrate --expand` first.")
            if not arguments.expand:
                await contract(database, print)
            # What the fills changed, and what processes of the last version did.
            await complete(database, print)
        except MigrationBlocked as error:
            return fail(str(error))
        version = await table_version(database)
        if migrations().is_to_contract(version):
            print(
                "The tables are expanded. They serve this version and the last one: replace the processes one after "
                "the other, then run `server.py migrate --contract`."
            )
        else:
            print("The tables are up to date.")
        return 0

    return with_database(settings, work)


def run_verify(settings: Settings, arguments: argparse.Namespace) -> int:
    """Prints each problem, or that there is none and where each audit trail ends.

    Notices name what an earlier release allowed and this one does not; they do not change the exit status. With
    `--state`, continues a run that was stopped.
    """
    try:
        state = VerifyState(arguments.state)
    except ValueError:
        return fail("--state: the file is not one that verify wrote. Name another file, or remove it.")
    if state.check is not None:
        print(f"Continues the last run ({state.check}).", file=sys.stderr)

    async def work(database: Database) -> int:
        async for problem in find_problems(database, open_store(settings.files_location), state):
            print(problem, file=sys.stderr)
        async with database.snapshot() as session:
            async for notice in separation_notices(session):
                print(f"Notice: {notice}.", file=sys.stderr)
            async for notice in unsealed_notices(session):
                print(f"Notice: {notice}.", file=sys.stderr)
        count = state.problems
        if count:
            return fail(f"{number_of(count, 'problem')} found.")
        print(
            "No problems: the audit trail, the progress sums, the history, the signatures and the files are all as "
            "recorded."
        )
        async with database.snapshot() as session:
            for head in await audit_chain_heads(session):
                print(f"The audit trail of provider {head['provider']} ends at line {head['line']}: {head['hash']}")
        return 0

    return with_database(settings, work)
