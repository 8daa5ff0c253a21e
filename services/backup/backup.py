"""Backs up an SQLite installation while it serves: the database, its files, and a manifest with their digests.

A backup is a folder with `database.db`, `files/` by storage key, and `manifest.json`. The manifest is written last: a
folder without one is an incomplete backup.
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
from services.audit.chain import audit_chain_heads
from services.audit.file_check import stored_file_records
from services.storage.atomic_write import sync_folder
from services.storage.file_store import FileStore, open_store

FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database.db", "files"
_CHUNK = 1 << 20


class BackupError(Exception):
    """A backup was not made or not restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup: how many files it holds, the storage keys of damaged or missing ones, the SHA-256 of its manifest."""

    files: int
    damaged: list[str]
    manifest_sha256: str


def database_file(url: str) -> Path:
    """The file of an SQLite database. Raises BackupError for any other database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise BackupError("This command is for SQLite. For PostgreSQL, see docs/operations.md.")
    return Path(parsed.database)


async def create_backup(url: str, store: FileStore, folder: Path, on_file: Callable[[], None] = lambda: None) -> Backup:
    """Makes a backup in a folder that is new or empty; `on_file` is called after each file.

    Copies a snapshot of the database first. Files are stored before the database refers to them, and never change, so
    copying them afterwards is consistent. Raises BackupError, StoreFull, StoreUnavailable.
    """
    source = database_file(url)
    await asyncio.to_thread(_make_folder, source, folder)
    made_at = clock.now()
    try:
        await asyncio.to_thread(_copy_database, source, folder / DATABASE)
        copy = Database(f"sqlite:///{folder / DATABASE}")
        try:
            files, damaged = await _copy_files(copy, store, open_store(folder / FILES), on_file)
            async with copy.snapshot() as session:
                heads = await audit_chain_heads(session)
        finally:
            await copy.close()
        await asyncio.to_thread(_check_and_close_wal, folder / DATABASE)
        manifest = {
            "format": FORMAT,
            "made_at": made_at.isoformat(),
            "database": {
                "size": (folder / DATABASE).stat().st_size,
                "sha256": await asyncio.to_thread(digest_of, folder / DATABASE),
            },
            "files": files,
            "damaged": damaged,
            "audit_trail_ends": heads,
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


def _make_folder(source: Path, folder: Path) -> None:
    if not source.is_file():
        raise BackupError(f"There is no database at {source}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} is not empty. Use a new folder for each backup.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _copy_database(source: Path, target: Path) -> None:
    original = sqlite3.connect(source.absolute().as_uri() + "?mode=ro", uri=True, timeout=20)
    try:
        copy = sqlite3.connect(target)
        try:
            # In one step, so that the copy is one snapshot. In WAL mode a reader does not block writers.
            original.backup(copy, pages=-1)
        finally:
            copy.close()
    finally:
        original.close()


def _check_and_close_wal(path: Path) -> None:
    """Checks the database and merges its write-ahead log into the file, so that one digest covers all of it."""
    connection = sqlite3.connect(path)
    try:
        messages = [message for (message,) in connection.execute("PRAGMA integrity_check(5)")]
        if messages != ["ok"]:
            raise BackupError(f"The database is damaged: {'; '.join(messages)}. Restore the last good backup.")
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _copy_files(
    copy: Database, store: FileStore, target: FileStore, on_file: Callable[[], None]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Copies the files of the database's records.

    Returns {storage key: size and digest}, and the keys of the files that are damaged or missing.
    """
    files: dict[str, dict[str, Any]] = {}
    damaged: list[str] = []
    async with copy.snapshot() as session:
        async for record in stored_file_records(session):
            storage_key = record.storage_key or f"file {record.key}, which has no storage key"
            if storage_key in files or storage_key in damaged:
                continue
            if await _copy_file(store, target, storage_key, record.sha256):
                files[storage_key] = {"size": record.size, "sha256": record.sha256}
            else:
                damaged.append(storage_key)
            on_file()
    return files, damaged


async def _copy_file(store: FileStore, target: FileStore, storage_key: str, sha256: str | None) -> bool:
    """Copies a file; returns False, and leaves no copy, if it is missing or its digest is another."""
    digest = hashlib.sha256()

    async def hashed() -> AsyncIterator[bytes]:
        async for chunk in store.read(storage_key):
            digest.update(chunk)
            yield chunk

    try:
        await target.write_as(storage_key, hashed())
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
