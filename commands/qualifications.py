"""`import` reads qualifications from JSON and CSV files: all of them, or nothing and every fault with its place."""

import argparse
from pathlib import Path
from typing import Any

from commands.database_session import fail, with_database
from db.database import Database
from db.models.provider import provider_named
from services.importer.draft import ImportOptions
from services.importer.parser import read_qualifications
from services.importer.problems import ImportRejected
from services.importer.store import Outcome, VersionInUse, store_qualification
from services.settings import Settings

_SAID = {
    Outcome.ADDED: "imported",
    Outcome.UNCHANGED: "unchanged: this version is there already",
    Outcome.REPLACED: "imported, in place of an earlier one of that version that nobody used",
}


def add(commands: Any) -> None:
    """Adds the command."""
    importing = commands.add_parser("import", help="import qualifications from JSON or CSV files")
    importing.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a JSON file, or a CSV of unit and criterion rows"
    )
    importing.add_argument("--provider", help="the UKPRN or name of the provider, where there are several")
    importing.add_argument("--title", help="the title, for a CSV")
    importing.add_argument("--reference", help="the reference number, such as ST0499, where the file has none")
    importing.add_argument("--version", help="the version, where the file has none")
    importing.add_argument("--level", type=int, help="the level, where the file has none")
    importing.set_defaults(run=_import)


def _import(settings: Settings, asked: argparse.Namespace) -> int:
    options = ImportOptions(title=asked.title, reference=asked.reference, version=asked.version, level=asked.level)
    try:
        drafts = read_qualifications(asked.files, options)
    except ImportRejected as faults:
        return fail(str(faults))

    async def work(database: Database) -> int:
        try:
            async with database.writing() as session:
                provider = await provider_named(session, asked.provider)
                if provider is None:
                    return fail("Name the provider with --provider: its UKPRN or its name.")
                outcomes = [(draft, await store_qualification(session, provider.id, draft)) for draft in drafts]
        except VersionInUse as fault:
            return fail(f"{fault}\nNothing was imported.")
        for draft, stored in outcomes:
            print(f"{draft.title}{f' {draft.version}' if draft.version else ''}: {_SAID[stored.outcome]}")
        return 0

    return with_database(settings, work)
