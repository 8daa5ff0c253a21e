"""Files: what was uploaded, as the viewer sees it by itself, or as a record that the viewer sees names it."""

import datetime as dt

from sqlalchemy import Select

from auth import scope
from db.models.file import File
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, OneLoader
from loaders.core.read_session import ReadSession, cached_statement
from loaders.core.rows import LightRow, column, row


@row(File)
class FileRow(LightRow):
    """One file that has arrived. `size` in bytes, `sha256` in lower-case hexadecimal."""

    key: int = column(File.id)
    name: str = column(File.name)
    content_type: str = column(File.content_type)
    size: int = column(File.size)
    # Set, as `uploaded_at` is, for every file that has arrived.
    sha256: str | None = column(File.sha256)
    uploaded_by_key: int = column(File.uploaded_by_id)
    uploaded_at: dt.datetime | None = column(File.uploaded_at)

    id = Identifier("File", "key")

    @classmethod
    def statement(cls, role: Role, *leading: object) -> Select:
        return super(FileRow, cls).statement(role, *leading).where(File.uploaded_at.is_not(None))


@row(File)
class StoredFileRow(LightRow):
    """Where a file's bytes are stored, and what they are sent out as."""

    name: str = column(File.name)
    content_type: str = column(File.content_type)
    size: int = column(File.size)
    sha256: str | None = column(File.sha256)
    storage_key: str | None = column(File.storage_key)


class FileLoader(EntityLoader[FileRow]):
    """Files that the viewer sees, by key."""

    row = FileRow


@cached_statement
def _named(role: Role) -> Select:
    # unscoped: reached through records that the viewer sees, which name their files
    return FileRow.select(role).where(any_of(File.id), File.uploaded_at.is_not(None), scope.of_provider(File))


class NamedFileLoader(OneLoader[int, FileRow]):
    """Files named by records that the viewer sees, by key."""

    keys_of = "file"

    async def fetch(self, keys: list[int]) -> dict[int, FileRow]:
        return {
            each.key: each for each in await self.reading.read(FileRow, _named(self.reading.viewer.role), keys=keys)
        }


@cached_statement
def _stored(role: Role) -> Select:
    arrived = File.uploaded_at.is_not(None), File.erased_at.is_(None)
    return StoredFileRow.statement(role).where(any_of(File.id), *arrived)


async def read_stored(reading: ReadSession, key: int) -> StoredFileRow | None:
    """What sends a file out; None where its bytes are gone, or it is not one that the viewer sees."""
    rows = await reading.read(StoredFileRow, _stored(reading.viewer.role), keys=[key])
    return rows[0] if rows else None
