"""Reads of files for the server itself, without a viewer: by storage key, and by the upload link."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select

from db.database import Database
from db.models.file import File
from db.models.user import User
from services.sweeper import swept_classes


async def referenced_storage_keys(database: Database, storage_keys: Sequence[str]) -> list[str]:
    """Returns those of the storage keys that a record refers to. Other stored files are left from a killed server."""
    found: list[str] = []
    for entity, sweep in swept_classes():
        if sweep.content:
            column = entity.__table__.c[sweep.content]
            # unscoped: the server removes files from its store, without a viewer
            referenced = select(column).where(column.in_(storage_keys))
            # Not `Database.rows`, which compiles a statement once: this one is as long as the list.
            async with database.reading(primary=True) as connection:
                found += (await connection.execute(referenced)).scalars()
    return found


async def announced_file(database: Database, key: int) -> Row[Any] | None:
    """Returns name and size of an announced file, whether or not it has arrived.

    None where the file was erased or the account of its uploader is archived.
    """
    # unscoped: read for the owner of the upload link, which only the uploader receives
    announced: Select = (
        select(File.name, File.size)
        .join(User, User.id == File.uploaded_by_id)
        .where(File.id == key, File.erased_at.is_(None), User.archived_at.is_(None))
    )
    rows = await database.rows(announced, primary=True)
    return rows[0] if rows else None
