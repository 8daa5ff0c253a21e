"""Files by what the store and the upload links name them: reads of the server itself, for no viewer."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from db.database import Database
from db.models.file import File
from db.models.user import User


async def known_files(database: Database, storage_keys: Sequence[str]) -> list[str]:
    """Those of the keys that a record names: what the store holds besides was left by a killed server."""
    # unscoped: the server sweeps its store, for no viewer
    named = select(File.storage_key).where(File.storage_key.in_(storage_keys))
    return [row.storage_key for row in await database.rows(named, primary=True)]


async def announced_file(database: Database, key: int) -> Row[Any] | None:
    """Name and size of a file as announced, also once it has arrived; None where nobody waits for it any more."""
    # unscoped: asked for whoever holds the link that only the uploader was given
    announced = (
        select(File.name, File.size)
        .join(User, User.id == File.uploaded_by_id)
        .where(File.id == key, File.erased_at.is_(None), User.archived_at.is_(None))
    )
    rows = await database.rows(announced, primary=True)
    return rows[0] if rows else None
