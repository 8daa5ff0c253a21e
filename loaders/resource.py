"""Resources and files from the course: material of an aim, in both of its buckets, and how many resources there are."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, func, select

from auth import scope
from db.models.file import File
from db.models.resource import Resource
from db.sql.any_of import any_of
from domain.enums import ResourceBucket, Role
from domain.global_id import Identifier
from loaders.core.read_session import ManyLoader, OneLoader, cached_statement
from loaders.file import FILE_COLUMNS, FileRow


@dataclass(slots=True)
class ResourceRow:
    """One piece of material."""

    key: int
    aim_key: int
    bucket: ResourceBucket
    title: str
    file: FileRow

    id = Identifier("Resource", "key")


def _seen(role: Role) -> ColumnElement[bool]:
    return scope.sees_record(role, Resource.learner_id, Resource.aim_id) & scope.of_provider(Resource)


@cached_statement
def _resources(role: Role, by_aim: bool) -> Select:
    return (
        select(Resource.id, Resource.aim_id, Resource.bucket, Resource.title, *FILE_COLUMNS)
        .join(File, File.id == Resource.file_id)
        .where(any_of(Resource.aim_id if by_aim else Resource.id), _seen(role))
        .order_by(Resource.added_at, Resource.id)
    )


def _row(row: Row) -> ResourceRow:
    return ResourceRow(*row[:4], FileRow(*row[4:]))


@cached_statement
def _counts(role: Role) -> Select:
    return (
        select(Resource.aim_id, func.count())
        .where(any_of(Resource.aim_id), Resource.bucket == ResourceBucket.RESOURCES, _seen(role))
        .group_by(Resource.aim_id)
    )


class ResourceLoader(OneLoader[int, ResourceRow]):
    """Material by key."""

    async def fetch(self, keys: list[int]) -> dict[int, ResourceRow]:
        rows = await self.reading.rows(_resources(self.reading.viewer.role, False), keys=keys)
        return {row.id: _row(row) for row in rows}


class AimResourcesLoader(ManyLoader[int, ResourceRow]):
    """An aim's material in both buckets, the oldest first."""

    async def fetch(self, keys: list[int]) -> dict[int, list[ResourceRow]]:
        found: dict[int, list[ResourceRow]] = {}
        for row in await self.reading.rows(_resources(self.reading.viewer.role, True), keys=keys):
            found.setdefault(row.aim_id, []).append(_row(row))
        return found


class ResourceCountLoader(OneLoader[int, int]):
    """How many resources an aim has, files from the course not among them."""

    async def fetch(self, keys: list[int]) -> dict[int, int]:
        rows = await self.reading.rows(_counts(self.reading.viewer.role), keys=keys)
        return dict.fromkeys(keys, 0) | {aim_key: count for aim_key, count in rows}
