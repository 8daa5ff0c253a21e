"""Files attached to a session or an action: fresh uploads, or files that the learner's record holds already."""

from collections.abc import Collection, Sequence

from db.models.file import File
from domain.enums import UserErrorCode
from resolvers.core.unit_of_work import UnitOfWork
from resolvers.core.validation import require_entity
from resolvers.file import attach

# In one go; more can be added afterwards.
MOST_FILES = 20


async def attachable_files(
    uow: UnitOfWork, ids: Sequence[str], learner_id: int | None, aim_ids: Collection[int], *field: str
) -> list[File]:
    """The files that may be attached to a learner's record about these aims, locked; the faults are noted at the field.

    Each is the viewer's own upload, arrived and not used yet, or a file that is the learner's already and belongs to no
    aim but these: who sees the record sees its files.
    """
    if len(ids) > MOST_FILES:
        uow.add_error(UserErrorCode.INVALID, f"Add at most {MOST_FILES} files at once.", *field)
        return []
    files = []
    for place, id in enumerate(ids):
        at = (*field, str(place))
        file = await require_entity(uow, File, id, *at)
        if file is None:
            continue
        if file.uploaded_at is None:
            uow.add_error(
                UserErrorCode.INVALID, "A file has not arrived: send its bytes to the upload link first.", *at
            )
        elif file.erased_at is not None or file.learner_id not in (None, learner_id):
            uow.add_error(UserErrorCode.CONFLICT, "A file is in use already. Upload it again to use it here too.", *at)
        elif file.aim_id is not None and file.aim_id not in aim_ids:
            uow.add_error(
                UserErrorCode.INVALID, "A file belongs to another component of the learner's. Upload it again.", *at
            )
        elif file not in files:
            files.append(file)
    return files


def attach_all(files: Sequence[File], learner_id: int, aim_ids: Collection[int]) -> None:
    """Binds fresh uploads to the learner; to an aim too, where the record is about one alone."""
    aim_id = next(iter(aim_ids)) if len(aim_ids) == 1 else None
    for file in files:
        if file.learner_id is None:
            attach(file, learner_id, aim_id)
