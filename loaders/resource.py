"""Resources and files from the course: material of an aim, in both of its buckets, and how many resources there are."""

from sqlalchemy import Select, func

from db.models.file import File
from db.models.resource import Resource
from db.sql.any_of import any_of
from domain.enums import ResourceBucket, Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, OneLoader, RelatedLoader
from loaders.core.read_session import cached_statement
from loaders.core.rows import LightRow, column, nested, row
from loaders.file import FileRow


@row(Resource, joins=lambda statement: statement.join(File, File.id == Resource.file_id))
class ResourceRow(LightRow):
    """One piece of material."""

    key: int = column(Resource.id)
    aim_key: int = column(Resource.aim_id)
    bucket: ResourceBucket = column(Resource.bucket)
    title: str = column(Resource.title)
    file: FileRow = nested(FileRow)

    id = Identifier("Resource", "key")


class ResourceLoader(EntityLoader[ResourceRow]):
    """Material by key."""

    row = ResourceRow


class AimResourcesLoader(RelatedLoader[ResourceRow]):
    """An aim's material in both buckets, the oldest first."""

    row, parent, order = ResourceRow, Resource.aim_id, (Resource.added_at, Resource.id)


@cached_statement
def _counts(role: Role) -> Select:
    counted = ResourceRow.statement_of(role, Resource.aim_id, func.count())
    return counted.where(any_of(Resource.aim_id), Resource.bucket == ResourceBucket.RESOURCES).group_by(Resource.aim_id)


class ResourceCountLoader(OneLoader[int, int]):
    """How many resources an aim has, files from the course not among them."""

    keys_of = "aim"

    async def fetch(self, keys: list[int]) -> dict[int, int]:
        rows = await self.reading.rows(_counts(self.reading.viewer.role), keys=keys)
        return dict.fromkeys(keys, 0) | {aim_key: count for aim_key, count in rows}
