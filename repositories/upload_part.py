"""The parts of an announced file that have arrived, for the owner of its upload link."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.file import File
from db.models.upload_part import UploadPart


async def received_parts(database: Database, file_key: int) -> tuple[bool, list[tuple[str, int]]]:
    """Returns whether the whole file is stored, and the parts in order: storage key and size in bytes."""
    # unscoped: read for the owner of the upload link, which only the uploader receives
    statement = (
        select(File.uploaded_at, UploadPart.storage_key, UploadPart.size)
        .outerjoin(UploadPart, UploadPart.file_id == File.id)
        .where(File.id == file_key)
        .order_by(UploadPart.starts_at)
    )
    rows = await database.rows(statement, primary=True)
    is_stored = any(row.uploaded_at is not None for row in rows)
    return is_stored, [(row.storage_key, row.size) for row in rows if row.storage_key is not None]


async def received_bytes(session: AsyncSession, file_key: int) -> int:
    """Returns how many bytes the parts of a file have, within the transaction that has locked it."""
    # unscoped: read for the owner of the upload link, which only the uploader receives
    return sum(await session.scalars(select(UploadPart.size).where(UploadPart.file_id == file_key)))


async def delete_parts(session: AsyncSession, file_key: int) -> Sequence[str]:
    """Deletes the parts of a file; returns their storage keys, whose content the caller deletes after the commit."""
    deleting = delete(UploadPart).where(UploadPart.file_id == file_key).returning(UploadPart.storage_key)
    return list(await session.scalars(deleting))
