"""A subject access export as a ZIP: a page that explains it, each table as JSON, and the files."""

import asyncio
import datetime as dt
import json
import zipfile
from typing import BinaryIO

from db.database import Database
from domain.clock import LONDON
from services.privacy.subject_access import Subject, SubjectFile, export_subject
from services.storage.file_store import FileStore

_READ_ME = """Everything that Waymark holds about {name}, as it was on {day} at {time} (London).

data/    One file for each kind of record, as JSON. Times are in UTC.
files/   The files, under the names that the records give them.

Passwords are kept in a form that cannot be read, and are not here.
{missing}"""
_MISSING = """
These files are on record, but could not be read from the store:
{paths}
"""


async def write_export(
    database: Database, store: FileStore, learner_key: int, out: BinaryIO, now: dt.datetime
) -> str | None:
    """Writes the ZIP to a file that can be sought in; gives the learner's name, or None where there is no such learner.

    Memory stays flat whatever the files' size. Raises StoreUnavailable, OSError.
    """
    async with database.snapshot() as session:
        subject = await export_subject(session, learner_key)
    if subject is None:
        return None
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in sorted(subject.tables.items()):
            if rows:
                text = json.dumps(rows, ensure_ascii=False, indent=2)
                await asyncio.to_thread(archive.writestr, f"data/{name}.json", text)
        missing = [file.path for file in subject.files if not await _add(archive, store, file)]
        archive.writestr("README.txt", _read_me(subject, missing, now))
    return subject.name


async def _add(archive: zipfile.ZipFile, store: FileStore, file: SubjectFile) -> bool:
    if not await store.exists(file.storage_key):
        return False
    with archive.open(file.path, "w", force_zip64=True) as member:
        async for chunk in store.read(file.storage_key):
            await asyncio.to_thread(member.write, chunk)
    return True


def _read_me(subject: Subject, missing: list[str], now: dt.datetime) -> str:
    local = now.astimezone(LONDON)
    said = _MISSING.format(paths="\n".join(missing)) if missing else ""
    return _READ_ME.format(name=subject.name, day=f"{local.day} {local:%B %Y}", time=f"{local:%H:%M}", missing=said)
