"""`provider-export` writes a provider to a file; `provider-import` adds it to another installation."""

import argparse
import sys

from tqdm import tqdm

from commands.database_session import fail, with_database
from db.database import Database
from domain.text import number_of
from services.audit.verify import find_problems
from services.provider_move.exporting import export_provider
from services.provider_move.importing import import_provider
from services.provider_move.rows import MoveError
from services.settings import Settings
from services.storage.file_store import StoreFull, StoreUnavailable, open_store

_STAYS = "Passwords are the same. Sessions, links, access keys, second factors and unsent mail did not move."


def run_export(settings: Settings, arguments: argparse.Namespace) -> int:
    """Exports a provider; fails if a file in the store is damaged, although the rest of the export is good."""

    async def work(database: Database) -> int:
        store = open_store(settings.files_location)
        try:
            with _Progress("Export") as progress:
                manifest = await export_provider(database, store, arguments.provider, arguments.file, progress.show)
        except (MoveError, StoreUnavailable) as error:
            return fail(str(error))
        rows, files = sum(each.rows for each in manifest.tables.values()), len(manifest.files)
        print(
            f"{arguments.file}: {number_of(rows, 'row')} and {number_of(files, 'file')} of {manifest.provider['name']}."
        )
        print(f"SHA-256 of the manifest: {manifest.sha256()}")
        print(f"The audit trail ends at line {manifest.trail_line}: {manifest.trail_hash}")
        if manifest.damaged:
            keys = "\n".join(f"  {key}" for key in manifest.damaged)
            return fail(f"These files are damaged or missing in the store, so the export does not hold them:\n{keys}")
        return 0

    return with_database(settings, work, migrated=True)


def run_import(settings: Settings, arguments: argparse.Namespace) -> int:
    """Imports a provider, and checks the installation as `verify` does."""

    async def work(database: Database) -> int:
        store = open_store(settings.files_location)
        try:
            with _Progress("Import") as progress:
                imported = await import_provider(database, store, arguments.file, progress.show)
            problems = [problem async for problem in find_problems(database, store)]
        except (MoveError, StoreFull, StoreUnavailable) as error:
            return fail(str(error))
        manifest = imported.manifest
        rows, files = sum(each.rows for each in manifest.tables.values()), len(manifest.files)
        print(f"{manifest.provider['name']} was imported with {number_of(rows, 'row')} and {number_of(files, 'file')}.")
        print(f"SHA-256 of the manifest: {manifest.sha256()}")
        print("Ids are those from before." if imported.keeps_ids else "Ids are others: some were in use here.")
        print(_STAYS)
        if problems:
            return fail("\n".join([*problems, "The provider was imported, but there are the problems above."]))
        print("No problems: trail, progress, history, signatures and files are all as recorded.")
        return 0

    return with_database(settings, work, migrated=True)


class _Progress:
    """Names the part that is worked on, on a terminal."""

    def __init__(self, title: str) -> None:
        self._bar = tqdm(desc=title, unit=" tables", disable=not sys.stderr.isatty())

    def show(self, part: str) -> None:
        """Shows the next part."""
        self._bar.set_postfix_str(part)
        self._bar.update()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
