"""`backup` copies a serving SQLite installation with its files; `restore` checks a backup and puts it back."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from commands.database_session import fail
from db.database import Database
from db.migrate import migrate
from services.audit.verify import find_problems
from services.backup.backup import BackupError, create_backup
from services.backup.restore import restore
from services.settings import Settings
from services.storage.file_store import StoreFull, StoreUnavailable, open_store


def add(commands: Any) -> None:
    """Adds the commands."""
    backing = commands.add_parser(
        "backup", help="copy the database and the files to a new folder, while serving (SQLite)"
    )
    backing.add_argument("folder", type=Path, help="a folder that is new or empty")
    backing.set_defaults(run=_backup)
    restoring = commands.add_parser("restore", help="put a backup back, and verify it (SQLite, server stopped)")
    restoring.add_argument("folder", type=Path, help="a folder that `backup` made")
    restoring.add_argument("--overwrite", action="store_true", help="set an installation that is there already aside")
    restoring.set_defaults(run=_restore)


def _backup(settings: Settings, asked: argparse.Namespace) -> int:
    async def work() -> int:
        store = open_store(settings.files_location)
        with tqdm(desc="Files", unit=" files", disable=not sys.stderr.isatty()) as bar:
            made = await create_backup(settings.database_url, store, asked.folder, lambda: bar.update() and None)
        print(f"{asked.folder}: the database and {made.files:,} files. SHA-256 of its manifest: {made.manifest_sha256}")
        if made.damaged:
            named = "\n".join(f"  {key}" for key in made.damaged)
            return fail(f"These files are damaged or missing in the store, and not in the backup:\n{named}")
        return 0

    return _named(work())


def _restore(settings: Settings, asked: argparse.Namespace) -> int:
    async def work() -> int:
        aside = await restore(asked.folder, settings.database_url, settings.files_location, overwrite=asked.overwrite)
        for path in aside:
            print(f"Set aside: {path}")
        database = Database(settings.database_url)
        try:
            await migrate(database)
            found = [line async for line in find_problems(database, open_store(settings.files_location))]
        finally:
            await database.close()
        if found:
            return fail("\n".join([*found, "The backup was put back, but what it holds is not whole: see above."]))
        print(
            "The backup is back, and whole. Learners who were erased since it was made are back too: erase them again."
        )
        return 0

    return _named(work())


def _named(work: Any) -> int:
    try:
        return asyncio.run(work)
    except (BackupError, StoreFull, StoreUnavailable) as fault:
        return fail(str(fault))
