"""`backup` copies an SQLite installation with its files while it serves; `restore` checks a backup and restores it."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from tqdm import tqdm

from commands.database_session import fail
from db.database import Database
from db.migrate import migrate
from domain.text import number_of
from services.audit.verify import find_problems
from services.backup.backup import BackupError, create_backup
from services.backup.restore import restore
from services.settings import Settings
from services.storage.file_store import StoreFull, StoreUnavailable, open_store


def run_backup(settings: Settings, arguments: argparse.Namespace) -> int:
    """Makes a backup; fails if a file in the store is damaged, although the rest of the backup is good."""
    folder = arguments.folder

    async def work() -> int:
        store = open_store(settings.files_location)
        with tqdm(desc="Files", unit=" files", disable=not sys.stderr.isatty()) as bar:

            def count_file() -> None:
                bar.update()

            backup = await create_backup(settings.database_url, store, folder, count_file)
        files = number_of(backup.files, "file")
        print(f"{folder}: the database and {files}. SHA-256 of the manifest: {backup.manifest_sha256}")
        if backup.damaged:
            keys = "\n".join(f"  {key}" for key in backup.damaged)
            return fail(f"These files are damaged or missing in the store, so the backup does not hold them:\n{keys}")
        return 0

    return _run(work())


def run_restore(settings: Settings, arguments: argparse.Namespace) -> int:
    """Restores a backup, migrates it and verifies it."""

    async def work() -> int:
        store_location = settings.files_location
        moved = await restore(arguments.folder, settings.database_url, store_location, overwrite=arguments.overwrite)
        for path in moved:
            print(f"Moved aside: {path}")
        database = Database(settings.database_url)
        try:
            await migrate(database)
            problems = [problem async for problem in find_problems(database, open_store(store_location))]
        finally:
            await database.close()
        if problems:
            return fail("\n".join([*problems, "The backup was restored, but it has the problems above."]))
        print("The backup was restored and has no problems.")
        print("Learners who were erased after it was made are in it again: erase them again.")
        return 0

    return _run(work())


def _run(work: Coroutine[Any, Any, int]) -> int:
    try:
        return asyncio.run(work)
    except (BackupError, StoreFull, StoreUnavailable) as error:
        return fail(str(error))
