"""Writes a subject access export as a ZIP file: a README, each table as JSON, and the files."""

import asyncio
import datetime as dt
import json
import zipfile
from typing import Any, BinaryIO

from db.database import Database
from domain.clock import LONDON
from services.privacy.subject_access import Subject, SubjectFile, export_subject
from services.storage.file_store import FileStore

_README = """All data in Waymark about {name} on {day} at {time} (London time).

data/    One JSON file for each kind of record. Times are in UTC.
files/   The files, under the names that are given in the records.

Passwords are stored in a form that cannot be read, so they are not included.
{missing}"""
_MISSING = """
These files are in the records, but could not be read from the store:
{paths}
"""


async def write_export(
    database: Database, store: FileStore, learner_key: int, out: BinaryIO, now: dt.datetime
) -> str | None:
    """Writes the ZIP to a seekable file; returns the learner's name, or None if there is no such learner.

    Files are streamed, so memory does not grow with their size. Raises StoreUnavailable, OSError.
    """
    async with database.snapshot() as session:
        subject = await export_subject(session, learner_key)
    if subject is None:
        return None
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in sorted(subject.tables.items()):
            if rows:
                await asyncio.to_thread(_add_table, archive, name, rows)
        missing = [file.path for file in subject.files if not await _add(archive, store, file)]
        archive.writestr("README.txt", _readme(subject, missing, now))
    return subject.name


def _add_table(archive: zipfile.ZipFile, name: str, rows: list[dict[str, Any]]) -> None:
    archive.writestr(f"data/{name}.json", json.dumps(rows, ensure_ascii=False, indent=2))


async def _add(archive: zipfile.ZipFile, store: FileStore, file: SubjectFile) -> bool:
    if not await store.exists(file.storage_key):
        return False
    with archive.open(file.path, "w", force_zip64=True) as member:
        async for chunk in store.read(file.storage_key):
            await asyncio.to_thread(member.write, chunk)
    return True


def _readme(subject: Subject, missing: list[str], now: dt.datetime) -> str:
    local = now.astimezone(LONDON)
    missing_part = _MISSING.format(paths="\n".join(missing)) if missing else ""
    day = f"{local.day} {local:%B %Y}"
    return _README.format(name=subject.name, day=day, time=f"{local:%H:%M}", missing=missing_part)
