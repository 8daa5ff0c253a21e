"""Checks the stored files: every record's bytes are there, as many as it says, with the digest that it keeps."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.file import File
from services.storage.file_store import FileStore


@dataclass(frozen=True, slots=True)
class StoredFileRecord:
    """A stored file as a record names it: size in bytes, SHA-256 in lower-case hexadecimal."""

    key: int
    storage_key: str | None
    size: int
    sha256: str


async def stored_file_records(session: AsyncSession) -> AsyncIterator[StoredFileRecord]:
    """Every file that has arrived and was not erased, those that share their bytes one after another."""
    statement = (
        select(File.id, File.storage_key, File.size, File.sha256)
        .where(File.uploaded_at.is_not(None), File.erased_at.is_(None))
        .order_by(File.storage_key, File.id)
    )
    async for row in await session.stream(statement.execution_options(yield_per=500)):
        yield StoredFileRecord(*row)


async def corrupt_files(session: AsyncSession, store: FileStore) -> AsyncIterator[str]:
    """A sentence for each file whose bytes are not those of its record; nothing where all are. Reads every byte once.

    Raises StoreUnavailable.
    """
    read: tuple[str, int, str] | None = None
    async for kept in stored_file_records(session):
        if read is None or read[0] != kept.storage_key:
            read = await _read(store, kept.storage_key)
        if read is None:
            yield f"file {kept.key}: its bytes are not in the store"
        elif read[1:] != (kept.size, kept.sha256):
            yield f"file {kept.key}: its bytes are not those that were uploaded"


async def _read(store: FileStore, storage_key: str | None) -> tuple[str, int, str] | None:
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
