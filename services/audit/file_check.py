"""Checks the stored files against their records: each is in the store, with the recorded size and digest."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.file import File
from services.audit.batches import Batch
from services.storage.file_store import FileStore

# Files of one batch: they are read while its transaction is open.
_FILES = 20


@dataclass(frozen=True, slots=True)
class StoredFileRecord:
    """The record of a stored file. `size` in bytes, `sha256` in lower-case hexadecimal."""

    key: int
    storage_key: str | None
    size: int
    sha256: str | None


_COLUMNS = File.id.label("key"), File.storage_key, File.size, File.sha256


async def stored_file_records(session: AsyncSession) -> AsyncIterator[StoredFileRecord]:
    """Yields every file that was uploaded and not erased, ordered by storage key: several records may share one."""
    statement = (
        select(*_COLUMNS)
        .where(File.uploaded_at.is_not(None), File.erased_at.is_(None))
        .order_by(File.storage_key, File.id)
    )
    async for row in await session.stream(statement.execution_options(yield_per=500)):
        yield StoredFileRecord(**row._mapping)


async def check_files(store: FileStore, session: AsyncSession, position: Any) -> Batch:
    """Reads the next files. The position: the key of the last record. Raises StoreUnavailable."""
    statement = (
        select(*_COLUMNS)
        .where(File.uploaded_at.is_not(None), File.erased_at.is_(None), File.id > (position or 0))
        .order_by(File.id)
        .limit(_FILES)
    )
    records = [StoredFileRecord(**row._mapping) for row in await session.execute(statement)]
    problems = []
    for record in records:
        stored = await _read(store, record.storage_key)
        if stored is None:
            problems.append(f"file {record.key}: it is not in the store")
        elif stored != (record.size, record.sha256):
            problems.append(f"file {record.key}: the stored bytes are not those that were uploaded")
    return Batch(problems, records[-1].key if len(records) == _FILES else None)


async def _read(store: FileStore, storage_key: str | None) -> tuple[int, str] | None:
    """(size, SHA-256) of the stored bytes; None if there are none."""
    if storage_key is None:
        return None
    digest, size = hashlib.sha256(), 0
    try:
        async for chunk in store.read(storage_key):
            digest.update(chunk)
            size += len(chunk)
    except FileNotFoundError:
        return None
    return size, digest.hexdigest()
