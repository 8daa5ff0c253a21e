"""A backup of an SQLite installation while it serves: the database, the files it names, a manifest of their digests.

A backup is a folder: `database.db`, `files/` by storage key, and `manifest.json`, which is written last, so that a
folder without one is no backup.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from db.database import Database
from domain import clock
from services.audit.file_check import stored_file_records
from services.audit.chain import audit_chain_heads
from services.storage.atomic_write import sync_folder
from services.storage.file_store import FileStore, open_store

FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database.db", "files"
_CHUNK = 1 << 20


class BackupError(Exception):
    """Nothing was made or put back; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: how many files, what of them was damaged in the store, the manifest's own SHA-256."""

    files: int
    damaged: list[str]
    manifest_sha256: str


def database_file(url: str) -> Path:
    """The file of an SQLite database; raises BackupFault for another database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise BackupError("This is for SQLite. How to do it with PostgreSQL is in docs/operations.md.")
    return Path(parsed.database)


async def create_backup(url: str, store: FileStore, folder: Path, seen: Callable[[], None] = lambda: None) -> Backup:
    """Makes a backup in a folder that is new or empty; `seen` is called for each file that is done.

    The database is copied as it is at one moment, whoever writes meanwhile. Its files were stored before it named them,
    and never change, so they are copied after it. Raises BackupFault, StoreFull, StoreUnavailable.
    """
    source = database_file(url)
    if not source.is_file():
        raise BackupError(f"There is no database at {source}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} is not empty. Name a new folder for each backup.")
    made_at = clock.now()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        await asyncio.to_thread(_copy_database, source, folder / DATABASE)
        copy = Database(f"sqlite:///{folder / DATABASE}")
        try:
            files, damaged = await _copy_files(copy, store, open_store(folder / FILES), seen)
            async with copy.snapshot() as session:
                ends = await audit_chain_heads(session)
        finally:
            await copy.close()
        await asyncio.to_thread(_one_file, folder / DATABASE)
        manifest = {
            "format": FORMAT,
            "made_at": made_at.isoformat(),
            "database": {
                "size": (folder / DATABASE).stat().st_size,
                "sha256": await asyncio.to_thread(digest_of, folder / DATABASE),
            },
            "files": files,
            "damaged": damaged,
            "audit_trail_ends": ends,
        }  # fmt: skip
        await asyncio.to_thread(_write_manifest, folder, manifest)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Backup(len(files), damaged, digest_of(folder / MANIFEST))


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_database(source: Path, target: Path) -> None:
    reading = sqlite3.connect(source.absolute().as_uri() + "?mode=ro", uri=True, timeout=20)
    try:
        copy = sqlite3.connect(target)
        try:
            # In one step: it reads one moment, and in WAL mode no writer waits for a reader.
            reading.backup(copy, pages=-1)
        finally:
            copy.close()
    finally:
        reading.close()


def _one_file(path: Path) -> None:
    """Folds the log into the file, so that one digest stands for the whole database."""
    connection = sqlite3.connect(path)
    try:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
        if found != ["ok"]:
            raise BackupError(f"The database is damaged: {'; '.join(found)}. Put the last good backup back.")
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _copy_files(
    copy: Database, store: FileStore, target: FileStore, seen: Callable[[], None]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Copies what the database names; gives {storage key: size and digest}, and the keys whose bytes are not right."""
    files: dict[str, dict[str, Any]] = {}
    damaged: list[str] = []
    async with copy.snapshot() as session:
        async for kept in stored_file_records(session):
            storage_key = kept.storage_key or f"file {kept.key}, without bytes"
            if storage_key in files or storage_key in damaged:
                continue
            if await _copy_file(store, target, storage_key, kept.sha256):
                files[storage_key] = {"size": kept.size, "sha256": kept.sha256}
            else:
                damaged.append(storage_key)
            seen()
    return files, damaged


async def _copy_file(store: FileStore, target: FileStore, storage_key: str, sha256: str) -> bool:
    digest = hashlib.sha256()

    async def metered() -> AsyncIterator[bytes]:
        async for chunk in store.read(storage_key):
            digest.update(chunk)
            yield chunk

    try:
        await target.write_as(storage_key, metered())
    except FileNotFoundError:
        return False
    if digest.hexdigest() != sha256:
        await target.delete(storage_key)
        return False
    return True


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    path = folder / MANIFEST
    with path.open("w") as file:
        json.dump(manifest, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
