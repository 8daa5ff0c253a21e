"""Resources and files from the course: material that an assessor gives a learner in one aim."""

from db.models.aim import Aim
from db.models.resource import Resource
from domain.enums import ResourceBucket
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity, single_line
from resolvers.file import attach, claim_upload


@mutation("resourceAdd")
async def add(
    uow: UnitOfWork, *, aim_id: str, title: str, file_id: str, bucket: ResourceBucket = ResourceBucket.RESOURCES
) -> int:
    """Adds a file to one of an aim's buckets. Refuses with NOT_FOUND, NOT_ALLOWED, or what is wrong with the fields."""
    aim = await require_entity(uow, Aim, aim_id, "input", "aimId", locked=False)
    if aim is not None:
        uow.authorize()
    title = single_line(uow, title, "input", "title")
    file = await claim_upload(uow, file_id, "input", "fileId")
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
    return resource.id


@mutation("resourceRemove")
async def remove(uow: UnitOfWork, *, id: str) -> int:
    """Takes a resource out of its bucket; its file stays on record. Refuses with NOT_FOUND, NOT_ALLOWED."""
    resource = await uow.get(Resource, id, "id")
    uow.authorize()
    await uow.session.delete(resource)
    uow.audit("Resource", resource.id, learner_id=resource.learner_id, aim_id=resource.aim_id, file=resource.file_id)
    return resource.id
