"""Files: what was uploaded, as the viewer sees it by itself, or as a record that the viewer sees names it."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, select

from auth import scope
from db.models.file import File
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.read_session import OneLoader, ReadSession, cached_statement


@dataclass(slots=True)
class FileRow:
    """One file that has arrived. `size` in bytes, `sha256` in lower-case hexadecimal."""

    key: int
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_by_key: int
    uploaded_at: dt.datetime

    id = Identifier("File", "key")


@dataclass(slots=True)
class StoredFileRow:
    """Where a file's bytes lie, and what they are sent out as."""

    name: str
    content_type: str
    size: int
    sha256: str
    storage_key: str


# For a statement of records that name a file: joined, these make `FileRow(*columns)`.
FILE_COLUMNS = (
    File.id.label("file_key"),
    File.name.label("file_name"),
    File.content_type,
    File.size,
    File.sha256,
    File.uploaded_by_id.label("file_by"),
    File.uploaded_at,
)


@cached_statement
def _seen(role: Role) -> Select:
    arrived = File.uploaded_at.is_not(None)
    return select(*FILE_COLUMNS).where(any_of(File.id), arrived, scope.sees_file(role))


@cached_statement
def _named(role: Role) -> Select:
    # unscoped: reached through records that the viewer sees, which name their files
    return select(*FILE_COLUMNS).where(any_of(File.id), File.uploaded_at.is_not(None), scope.of_provider(File))


@cached_statement
def _stored(role: Role) -> Select:
    return select(File.name, File.content_type, File.size, File.sha256, File.storage_key).where(
        any_of(File.id), File.uploaded_at.is_not(None), File.erased_at.is_(None), scope.sees_file(role)
    )


class FileLoader(OneLoader[int, FileRow]):
    """Files that the viewer sees, by key: for `node`."""

    async def fetch(self, keys: list[int]) -> dict[int, FileRow]:
        rows = await self.reading.rows(_seen(self.reading.viewer.role), keys=keys)
        return {row.file_key: FileRow(*row) for row in rows}


class NamedFileLoader(OneLoader[int, FileRow]):
    """Files named by records that the viewer sees, by key."""

    async def fetch(self, keys: list[int]) -> dict[int, FileRow]:
        rows = await self.reading.rows(_named(self.reading.viewer.role), keys=keys)
        return {row.file_key: FileRow(*row) for row in rows}


async def read_stored(reading: ReadSession, key: int) -> StoredFileRow | None:
    """What sends a file out; None where its bytes are gone, or it is not one that the viewer sees."""
    rows = await reading.rows(_stored(reading.viewer.role), keys=[key])
    return StoredFileRow(*rows[0]) if rows else None
