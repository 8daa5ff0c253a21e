"""Puts a backup back: every digest is checked before anything is touched, and what stood there is set aside."""

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
from services.storage.file_store import KEY, FileStore, open_store

_BESIDE = ("", "-wal", "-shm")


async def restore(folder: Path, url: str, files: str | Path, *, overwrite: bool) -> list[Path]:
    """Puts a backup's database and files where an installation expects them; gives what was set aside for it.

    `files` is where the installation keeps its files. Raises BackupFault, before anything is changed: for a backup that
    is not whole, a server that still runs, and, unless `overwrite`, an installation that is there already.
    """
    target = database_file(url)
    manifest = await asyncio.to_thread(_checked_manifest, folder)
    kept = files if isinstance(files, Path) else None
    standing = [path for path in (target, kept) if path is not None and _holds_something(path)]
    if standing and not overwrite:
        named = " and ".join(map(str, standing))
        raise BackupError(f"There is an installation already: {named}. With --overwrite it is set aside.")
    if target.exists():
        await asyncio.to_thread(_check_unused, target)
    aside = _set_aside(target, kept)
    target.parent.mkdir(parents=True, exist_ok=True)
    store = open_store(files)
    source = open_store(folder / FILES)
    for storage_key in manifest["files"]:
        await store.write_as(storage_key, _bytes(source, storage_key))
    await asyncio.to_thread(_copy_database, folder / DATABASE, target)
    return aside


async def _bytes(source: FileStore, storage_key: str) -> AsyncIterator[bytes]:
    async for chunk in source.read(storage_key):
        yield chunk


def _checked_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise BackupError(f"{folder} is no backup, or one that was not finished: it has no {MANIFEST}.") from None
    except ValueError:
        raise BackupError(f"The backup's {MANIFEST} is damaged.") from None
    if manifest.get("format") != FORMAT:
        raise BackupError("The backup was made by another version of Waymark, which can put it back.")
    expected = {DATABASE: manifest["database"]["sha256"]}
    for storage_key, about in manifest["files"].items():
        if not KEY.fullmatch(storage_key):
            raise BackupError(f"The backup's {MANIFEST} is damaged.")
        expected[f"{FILES}/{storage_key}"] = about["sha256"]
    for name, sha256 in expected.items():
        if not (folder / name).is_file():
            raise BackupError(f"The backup is not whole: {name} is missing.")
        if digest_of(folder / name) != sha256:
            raise BackupError(f"The backup is not whole: {name} was changed.")
    return manifest


def _holds_something(path: Path) -> bool:
    return any(entry.is_file() for entry in path.rglob("*")) if path.is_dir() else path.exists()


def _check_unused(database: Path) -> None:
    """Raises BackupFault while anybody has the database open: leaving WAL mode needs it alone."""
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError:
        raise BackupError(f"A server still uses {database}. Stop it first.") from None
    except sqlite3.DatabaseError:
        pass  # damaged, which is why somebody puts a backup back
    finally:
        connection.close()


def _set_aside(target: Path, files: Path | None) -> list[Path]:
    stamp = f"before-restore-{clock.now():%Y%m%dT%H%M%S%f}"
    moved = []
    for path in [*(target.with_name(target.name + suffix) for suffix in _BESIDE), files]:
        if path is not None and path.exists():
            aside = path.with_name(f"{path.name}.{stamp}")
            path.rename(aside)
            moved.append(aside)
    return moved


def _copy_database(source: Path, target: Path) -> None:
    landing = target.with_name(f"{target.name}.landing")
    with source.open("rb") as reading, landing.open("wb") as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
    os.chmod(landing, 0o600)
    landing.rename(target)
    sync_folder(target.parent)
