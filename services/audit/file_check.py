"""Checks the stored files against their records: each is in the store, with the recorded size and digest."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.file import File
from services.storage.file_store import FileStore


@dataclass(frozen=True, slots=True)
class StoredFileRecord:
    """The record of a stored file. `size` in bytes, `sha256` in lower-case hexadecimal."""

    key: int
    storage_key: str | None
    size: int
    sha256: str | None


async def stored_file_records(session: AsyncSession) -> AsyncIterator[StoredFileRecord]:
    """Yields every file that was uploaded and not erased, ordered by storage key: several records may share one."""
    statement = (
        select(File.id, File.storage_key, File.size, File.sha256)
        .where(File.uploaded_at.is_not(None), File.erased_at.is_(None))
        .order_by(File.storage_key, File.id)
    )
    async for key, storage_key, size, sha256 in await session.stream(statement.execution_options(yield_per=500)):
        yield StoredFileRecord(key, storage_key, size, sha256)


async def corrupt_files(session: AsyncSession, store: FileStore) -> AsyncIterator[str]:
    """Yields a sentence for each file that is missing or differs from its record. Reads every stored byte once.

    Raises StoreUnavailable.
    """
    read: tuple[str, int, str] | None = None
    async for record in stored_file_records(session):
        if read is None or read[0] != record.storage_key:
            read = await _read(store, record.storage_key)
        if read is None:
            yield f"file {record.key}: it is not in the store"
        elif read[1:] != (record.size, record.sha256):
            yield f"file {record.key}: the stored bytes are not those that were uploaded"


async def _read(store: FileStore, storage_key: str | None) -> tuple[str, int, str] | None:
    """(storage key, size, SHA-256) of the stored bytes; None if there are none."""
    if storage_key is None:
        return None
    digest, size = hashlib.sha256(), 0
    try:
        async for chunk in store.read(storage_key):
            digest.update(chunk)
            size += len(chunk)
    except FileNotFoundError:
        return None
    return storage_key, size, digest.hexdigest()
