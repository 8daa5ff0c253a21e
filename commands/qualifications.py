"""`import` reads qualifications from JSON and CSV files: all of them, or none and every problem with its position."""

import argparse

from commands.database_session import fail, with_database
from db.database import Database
from db.models.provider import provider_named
from services.importer.draft import ImportOptions
from services.importer.parser import read_qualifications
from services.importer.problems import ImportRejected
from services.importer.store import Outcome, VersionInUse, store_qualification
from services.settings import Settings

_OUTCOMES = {
    Outcome.ADDED: "imported",
    Outcome.UNCHANGED: "unchanged, because this version is already stored",
    Outcome.UPDATED: "updated: how many optional units are to be chosen; aims follow",
    Outcome.REPLACED: "imported, replacing an earlier import of this version that no aim used",
}


def run_import(settings: Settings, arguments: argparse.Namespace) -> int:
    """Imports the files in one transaction."""
    options = ImportOptions(
        title=arguments.title, reference=arguments.reference, version=arguments.version, level=arguments.level
    )
    try:
        drafts = read_qualifications(arguments.files, options)
    except ImportRejected as rejected:
        return fail(str(rejected))

    async def work(database: Database) -> int:
        try:
            async with database.writing() as session:
                provider = await provider_named(session, arguments.provider)
                if provider is None:
                    return fail("Name the provider with --provider: its UKPRN or its name.")
                results = [(draft, await store_qualification(session, provider.id, draft)) for draft in drafts]
        except VersionInUse as error:
            return fail(f"{error}\nNothing was imported.")
        for draft, stored in results:
            print(f"{draft.title}{f' {draft.version}' if draft.version else ''}: {_OUTCOMES[stored.outcome]}")
        return 0

    return with_database(settings, work)
