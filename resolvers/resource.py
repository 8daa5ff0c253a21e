"""Resources and files from the course: files that an assessor adds to a learner's aim."""

from typing import TypedDict

from db.models.aim import Aim
from db.models.resource import Resource
from domain.enums import ResourceBucket
from resolvers.core.attachments import attach, claim_upload
from resolvers.core.row_limit import check_row_limit
from resolvers.core.rules import Owned
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line
from resolvers.rules.aim import AIM, AimState
from resolvers.rules.resource import RESOURCE


class ChangedResource(TypedDict):
    """The keys of a resource that was added or removed, and of its aim."""

    resource: int
    aim: int


@mutation("resourceAdd")
async def add(
    uow: UnitOfWork, *, aim_id: str, title: str, file_id: str, bucket: ResourceBucket = ResourceBucket.RESOURCES
) -> ChangedResource:
    """Adds a file to one of an aim's two lists.

    Rejects with NOT_FOUND, NOT_ALLOWED, or REQUIRED, INVALID and CONFLICT for the fields.
    """
    aim = await require_entity(uow, Aim, aim_id, "input", "aimId", locked=False)
    if aim is not None:
        uow.require(AIM, AimState.of(aim))
    title = single_line(uow, title, "input", "title")
    file = await claim_upload(uow, file_id, "input", "fileId")
    if aim is not None:
        await check_row_limit(uow, Resource.aim_id, aim.id, "RESOURCES_FULL", "input", "aimId")
    uow.raise_errors()
    assert aim is not None and file is not None
    attach(file, aim.learner_id, aim.id)
    resource = Resource(
        provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, bucket=bucket, title=title,
        file_id=file.id, added_by_id=uow.viewer.user_key, added_at=uow.now,
    )  # fmt: skip
    uow.session.add(resource)
    await uow.session.flush()
    uow.audit("Resource", resource.id, learner_id=aim.learner_id, aim_id=aim.id, file=file.id, bucket=bucket.value)
    return {"resource": resource.id, "aim": resource.aim_id}


@mutation("resourceRemove")
async def remove(uow: UnitOfWork, *, id: str) -> ChangedResource:
    """Removes a resource from its aim; the file is kept. Rejects with NOT_FOUND and NOT_ALLOWED."""
    resource = await uow.get(Resource, id, "id")
    uow.require(RESOURCE, Owned(resource.learner_id))
    await uow.session.delete(resource)
    uow.audit("Resource", resource.id, learner_id=resource.learner_id, aim_id=resource.aim_id, file=resource.file_id)
    return {"resource": resource.id, "aim": resource.aim_id}
