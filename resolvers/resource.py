"""Resources and files from the course: material that an assessor gives a learner in one aim."""

from db.models.aim import Aim
from db.models.resource import Resource
from domain.enums import ResourceBucket
from resolvers.core.unit_of_work import Change, writes
from resolvers.core.validation import line, named
from resolvers.file import bind, usable


@writes("resourceAdd")
async def add(
    change: Change, *, aim_id: str, title: str, file_id: str, bucket: ResourceBucket = ResourceBucket.RESOURCES
) -> int:
    """Adds a file to one of an aim's buckets. Refuses with NOT_FOUND, NOT_ALLOWED, or what is wrong with the fields."""
    aim = await named(change, Aim, aim_id, "input", "aimId", locked=False)
    if aim is not None:
        change.allow()
    title = line(change, title, "input", "title")
    file = await usable(change, file_id, "input", "fileId")
    change.check()
    assert aim is not None and file is not None
    bind(file, aim.learner_id, aim.id)
    resource = Resource(
        provider_id=aim.provider_id, learner_id=aim.learner_id, aim_id=aim.id, bucket=bucket, title=title,
        file_id=file.id, added_by_id=change.viewer.user_key, added_at=change.now,
    )  # fmt: skip
    change.session.add(resource)
    await change.session.flush()
    change.record(
        "Resource", resource.id, learner_id=aim.learner_id, aim_id=aim.id, file=file.id, bucket=bucket.value
    )
    return resource.id


@writes("resourceRemove")
async def remove(change: Change, *, id: str) -> int:
    """Takes a resource out of its bucket; its file stays on record. Refuses with NOT_FOUND, NOT_ALLOWED."""
    resource = await change.get(Resource, id, "id")
    change.allow()
    await change.session.delete(resource)
    change.record(
        "Resource", resource.id, learner_id=resource.learner_id, aim_id=resource.aim_id, file=resource.file_id
    )
    return resource.id
