"""Resources of an aim."""

from typing import Any

from db.models.aim import Aim
from db.models.file import File
from db.models.resource import Resource
from db.models.user import User
from domain.enums import ResourceBucket
from tests.support.factories.base import RowFactory, keys_of


class ResourceFactory(RowFactory):
    async def resource(
        self, aim: Aim, added_by: User, file: File, bucket: ResourceBucket = ResourceBucket.RESOURCES, **columns: Any
    ) -> Resource:
        values = {"title": file.name, "added_at": self.now, **columns}
        return await self.add(
            Resource(**keys_of(aim), aim_id=aim.id, added_by_id=added_by.id, file_id=file.id, bucket=bucket, **values)
        )
