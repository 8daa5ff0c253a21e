"""Uploaded files that a record uses: claimed for one record, or attached to a session or an action."""

from collections.abc import Collection, Sequence

from db.models.file import File
from domain.enums import UserErrorCode
from domain.sentences import say
from resolvers.core.unit_of_work import UnitOfWork
from resolvers.core.validation import require_entity

# In one mutation; more can be added with the next.
MAX_FILES = 20

_NOT_UPLOADED = say("FILE_NOT_UPLOADED")
_IN_USE = say("FILE_IN_USE")


async def claim_upload(uow: UnitOfWork, id: str, *field: str) -> File | None:
    """Returns the viewer's own upload that no record uses, locked; else records the error and returns None.

    After `uow.raise_errors()`, `attach` the file to the learner in whose record it is used.
    """
    file = await require_entity(uow, File, id, *field)
    if file is None:
        return None
    if file.uploaded_by_id != uow.viewer.user_key:
        message = say("FILE_OF_OTHER_UPLOADER")
        uow.add_error(UserErrorCode.NOT_ALLOWED, message, *field)
    elif file.uploaded_at is None:
        uow.add_error(UserErrorCode.INVALID, _NOT_UPLOADED, *field)
    elif file.learner_id is not None or file.erased_at is not None:
        uow.add_error(UserErrorCode.CONFLICT, _IN_USE, *field)
    else:
        return file
    return None


async def claim_picture(uow: UnitOfWork, id: str, *field: str) -> File | None:
    """As `claim_upload`, and records INVALID where the file is not a picture."""
    file = await claim_upload(uow, id, *field)
    if file is not None and not file.content_type.startswith("image/"):
        uow.add_error(UserErrorCode.INVALID, say("FILE_NOT_A_PICTURE"), *field)
    return file


async def attachable_files(
    uow: UnitOfWork, ids: Sequence[str], learner_id: int | None, aim_ids: Collection[int], *field: str
) -> list[File]:
    """Returns the files that can be attached to a record of the learner about these aims, locked; records the errors.

    A file is the viewer's own upload that no record uses, or one of the learner's that belongs to no other aim, because
    everyone who sees the record sees its files.
    """
    if len(ids) > MAX_FILES:
        uow.add_error(UserErrorCode.INVALID, say("TOO_MANY_FILES", most=MAX_FILES), *field)
        return []
    files = []
    for index, id in enumerate(ids):
        at = (*field, str(index))
        file = await require_entity(uow, File, id, *at)
        if file is None:
            continue
        if file.uploaded_at is None:
            uow.add_error(UserErrorCode.INVALID, _NOT_UPLOADED, *at)
        elif file.erased_at is not None or file.learner_id not in (None, learner_id):
            uow.add_error(UserErrorCode.CONFLICT, _IN_USE, *at)
        elif file.aim_id is not None and file.aim_id not in aim_ids:
            message = say("FILE_OF_OTHER_COMPONENT")
            uow.add_error(UserErrorCode.INVALID, message, *at)
        elif file not in files:
            files.append(file)
    return files


def attach(file: File, learner_id: int, aim_id: int | None = None) -> None:
    """Makes the file part of the learner's record: from now on everyone who sees that record sees the file."""
    file.learner_id, file.aim_id = learner_id, aim_id


def attach_all(files: Sequence[File], learner_id: int, aim_ids: Collection[int]) -> None:
    """Attaches new uploads to the learner, and to the aim where the record is about one aim only."""
    aim_id = next(iter(aim_ids)) if len(aim_ids) == 1 else None
    for file in files:
        if file.learner_id is None:
            attach(file, learner_id, aim_id)
