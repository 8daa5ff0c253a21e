"""Restores a backup: every digest is checked before anything changes, and an existing installation is moved aside."""

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from domain import clock
from services.backup.backup import DATABASE, FILES, FORMAT, MANIFEST, BackupError, database_file, digest_of
from services.storage.atomic_write import sync_folder
from services.storage.file_store import FileStore, open_store
from services.storage.storage_keys import KEY

# SQLite's files next to each other: the database, its write-ahead log and its shared memory.
_SUFFIXES = ("", "-wal", "-shm")


async def restore(folder: Path, url: str, files: str | Path, *, overwrite: bool) -> list[Path]:
    """Restores a backup to `url` and `files` (the file store's location); returns the paths that were moved aside.

    Raises BackupError before anything changes: if the backup is damaged, a server still uses the database, or there is
    an installation already and `overwrite` is false.
    """
    target = database_file(url)
    manifest = await asyncio.to_thread(_checked_manifest, folder)
    files_folder = files if isinstance(files, Path) else None
    existing = [path for path in (target, files_folder) if path is not None and _has_content(path)]
    if existing and not overwrite:
        paths = " and ".join(map(str, existing))
        raise BackupError(f"There is already an installation: {paths}. With --overwrite it is moved aside.")
    if target.exists():
        await asyncio.to_thread(_check_unused, target)
    moved = _move_aside(target, files_folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    store = open_store(files)
    source = open_store(folder / FILES)
    for storage_key in manifest["files"]:
        await store.write_as(storage_key, _chunks(source, storage_key))
    await asyncio.to_thread(_copy_database, folder / DATABASE, target)
    return moved


async def _chunks(source: FileStore, storage_key: str) -> AsyncIterator[bytes]:
    async for chunk in source.read(storage_key):
        yield chunk


def _checked_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, after checking every file of the backup against it. Raises BackupError."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise BackupError(f"{folder} is not a complete backup: it has no {MANIFEST}.") from None
    except ValueError:
        raise BackupError(f"The backup's {MANIFEST} is damaged.") from None
    if manifest.get("format") != FORMAT:
        raise BackupError("The backup was made by another version of Waymark. Restore it with that version.")
    expected = {DATABASE: manifest["database"]["sha256"]}
    for storage_key, recorded in manifest["files"].items():
        if not KEY.fullmatch(storage_key):
            raise BackupError(f"The backup's {MANIFEST} is damaged.")
        expected[f"{FILES}/{storage_key}"] = recorded["sha256"]
    for name, sha256 in expected.items():
        if not (folder / name).is_file():
            raise BackupError(f"The backup is damaged: {name} is missing.")
        if digest_of(folder / name) != sha256:
            raise BackupError(f"The backup is damaged: {name} was changed.")
    return manifest


def _has_content(path: Path) -> bool:
    return any(entry.is_file() for entry in path.rglob("*")) if path.is_dir() else path.exists()


def _check_unused(database: Path) -> None:
    """Raises BackupError while another process has the database open: leaving WAL mode needs exclusive access."""
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError:
        raise BackupError(f"A server still uses {database}. Stop it first.") from None
    except sqlite3.DatabaseError:
        pass  # damaged: a reason to restore a backup
    finally:
        connection.close()


def _move_aside(target: Path, files: Path | None) -> list[Path]:
    stamp = f"before-restore-{clock.now():%Y%m%dT%H%M%S%f}"
    moved = []
    for path in [*(target.with_name(target.name + suffix) for suffix in _SUFFIXES), files]:
        if path is not None and path.exists():
            aside = path.with_name(f"{path.name}.{stamp}")
            path.rename(aside)
            moved.append(aside)
    return moved


def _copy_database(source: Path, target: Path) -> None:
    temporary = target.with_name(f"{target.name}.part")
    with source.open("rb") as original, temporary.open("wb") as copy:
        shutil.copyfileobj(original, copy)
        copy.flush()
        os.fsync(copy.fileno())
    os.chmod(temporary, 0o600)
    temporary.rename(target)
    sync_folder(target.parent)
