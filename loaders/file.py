"""Files: those that the viewer sees, and those that a visible record refers to."""

import datetime as dt
from typing import Any

from sqlalchemy import Select

from auth import scope
from db.cached_statement import cached_statement
from db.models.file import File
from db.models.learner import Learner
from db.sql.any_of import any_of
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, OneLoader
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, row


@row(File)
class FileRow(LightRow):
    """A file whose upload has finished. `size` in bytes, `sha256` in lower-case hexadecimal."""

    key: int = column(File.id)
    name: str = column(File.name)
    content_type: str = column(File.content_type)
    size: int = column(File.size)
    # Like `uploaded_at`, never None once the upload has finished.
    sha256: str | None = column(File.sha256)
    uploaded_by_key: int = column(File.uploaded_by_id)
    uploaded_at: dt.datetime | None = column(File.uploaded_at)

    id = Identifier("File", "key")

    @classmethod
    def statement(cls, role: Role, *leading: Any, one: bool = False) -> Select:
        return cls.select(role, *leading).where(scope.sees(role, File, one), File.uploaded_at.is_not(None))


@row(File)
class StoredFileRow(LightRow):
    """Where the content of a file is stored, and the headers to send it with."""

    name: str = column(File.name)
    content_type: str = column(File.content_type)
    size: int = column(File.size)
    sha256: str | None = column(File.sha256)
    storage_key: str | None = column(File.storage_key)


class FileLoader(EntityLoader[FileRow]):
    """Loads files that the viewer sees, by key."""

    row = FileRow


@cached_statement
def _named(role: Role) -> Select:
    # unscoped: the keys come from records that the viewer sees
    return FileRow.select(role).where(any_of(File.id), File.uploaded_at.is_not(None), scope.of_provider(File))


class NamedFileLoader(OneLoader[int, FileRow]):
    """Loads files that a visible record refers to, by key."""

    keys_of = "file"

    async def fetch(self, keys: list[int]) -> dict[int, FileRow]:
        rows = await self.reading.read(FileRow, _named(self.reading.viewer.role), keys=keys)
        return {row.key: row for row in rows}


@cached_statement
def _stored(role: Role) -> Select:
    has_content = File.uploaded_at.is_not(None), File.erased_at.is_(None)
    return StoredFileRow.statement(role).where(any_of(File.id), *has_content)


async def read_stored(reading: ReadSession, key: int) -> StoredFileRow | None:
    """Returns how to send a file; None if its content was erased or the viewer does not see it."""
    rows = await reading.read(StoredFileRow, _stored(reading.viewer.role), keys=[key])
    return rows[0] if rows else None


@cached_statement
def _photos(role: Role) -> Select:
    # unscoped: the photos of learners whom the viewer sees
    return (
        FileRow.select(role, Learner.user_id.label("user_key"))
        .join(Learner, Learner.photo_file_id == File.id)
        .where(any_of(Learner.user_id), scope.sees_learner(role, Learner.id), File.uploaded_at.is_not(None))
    )


class PhotoOfUserLoader(OneLoader[int, FileRow]):
    """Loads the photo of a user who is a learner in the viewer's scope, by user key."""

    keys_of = "user_account"

    async def fetch(self, keys: list[int]) -> dict[int, FileRow]:
        statement = _photos(self.reading.viewer.role)
        leading, rows = await self.reading.read_with(FileRow, statement, ["user_key"], keys=keys)
        return dict(zip(leading["user_key"], rows, strict=True))
