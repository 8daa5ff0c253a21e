"""`import-hours` reads the policy for off-the-job hours: all rules of the files, or none and every problem."""

import argparse

from commands.database_session import fail, with_database
from db.database import Database
from db.models.provider import provider_named
from domain.text import number_of
from services.importer.off_the_job_policy import read_hours, store_hours
from services.importer.problems import ImportRejected
from services.settings import Settings


def run_import_hours(settings: Settings, arguments: argparse.Namespace) -> int:
    """Imports the rules in one transaction; the required hours of all aims follow."""
    try:
        rules = [rule for path in arguments.files for rule in read_hours(path)]
    except ImportRejected as rejected:
        return fail(str(rejected))

    async def work(database: Database) -> int:
        async with database.writing() as session:
            provider = await provider_named(session, arguments.provider)
            if provider is None:
                return fail("Name the provider with --provider: its UKPRN or its name.")
            changed = await store_hours(session, provider.id, rules)
        of_all = f"{changed} of {number_of(len(rules), 'rule')}"
        print(f"{of_all} added or changed. The required hours of all aims follow them.")
        return 0

    return with_database(settings, work)
