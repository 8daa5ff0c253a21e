"""Resources: the files of an aim in both of its lists, and the number of resources."""

from sqlalchemy import Select, func

from db.models.file import File
from db.models.resource import Resource
from db.sql.any_of import any_of
from domain.enums import ResourceBucket, Role
from domain.global_id import Identifier
from loaders.core.base import CountLoader, EntityLoader, RelatedLoader
from loaders.core.rows import LightRow, column, nested, row
from loaders.file import FileRow


@row(Resource, joins=lambda statement: statement.join(File, File.id == Resource.file_id))
class ResourceRow(LightRow):
    """A file of an aim. `bucket` is the list in which it appears."""

    key: int = column(Resource.id)
    learner_key: int = column(Resource.learner_id)
    aim_key: int = column(Resource.aim_id)
    bucket: ResourceBucket = column(Resource.bucket)
    title: str = column(Resource.title)
    file: FileRow = nested(FileRow)

    id = Identifier("Resource", "key")


class ResourceLoader(EntityLoader[ResourceRow]):
    """Loads resources by key."""

    row = ResourceRow


class AimResourcesLoader(RelatedLoader[ResourceRow]):
    """Loads the resources of an aim in both lists, oldest first."""

    row, parent, order = ResourceRow, Resource.aim_id, (Resource.added_at, Resource.id)


class ResourceCountLoader(CountLoader):
    """Loads the number of an aim's resources, without Files from Course."""

    keys_of = "aim"

    @classmethod
    def statement(cls, role: Role) -> Select:
        counts = ResourceRow.statement_of(role, Resource.aim_id.label("parent_key"), func.count().label("count"))
        is_counted = any_of(Resource.aim_id), Resource.bucket == ResourceBucket.RESOURCES
        return counts.where(*is_counted).group_by(Resource.aim_id)
