"""Saves the sections of a learner's CV, adds and removes its documents, and sets the photo."""

from db.models.cv import CvDocument, CvSection
from db.models.learner import Learner
from domain import global_id
from domain.enums import CvDocumentKind, CvSectionName
from domain.errors import not_found
from repositories.learner import documents_with_file
from resolvers.core.attachments import attach, claim_picture, claim_upload
from resolvers.core.row_limit import check_row_limit
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.rules.viewer import VIEWER
from resolvers.user.invitation import UserChange


@mutation("cvSectionSave")
async def section_save(uow: UnitOfWork, *, name: CvSectionName, text: str) -> int:
    """Saves one section of the viewer's own CV; an empty text clears it. Returns the learner's key.

    Rejects with NOT_ALLOWED for every role but LEARNER, and INVALID for a text that is too long.
    """
    learner = await _own_record(uow)
    text = multi_line(uow, text, "text", required=False)
    uow.raise_errors()
    section = await uow.session.get(CvSection, (learner.id, name))
    if section is None:
        section = CvSection(learner_id=learner.id, name=name, provider_id=learner.provider_id)
        uow.session.add(section)
    section.text, section.updated_at = text, uow.now
    uow.audit("Learner", learner.id, learner_id=learner.id, section=name.value)
    return learner.id


@mutation("cvDocumentAdd")
async def document_add(uow: UnitOfWork, *, kind: CvDocumentKind, file_id: str) -> int:
    """Adds a document to the viewer's own CV. Returns the learner's key.

    Rejects with NOT_ALLOWED for every role but LEARNER, and NOT_FOUND, INVALID and CONFLICT for the file.
    """
    learner = await _own_record(uow)
    file = await claim_upload(uow, file_id, "fileId")
    await check_row_limit(uow, CvDocument.learner_id, learner.id, "CV_FULL")
    uow.raise_errors()
    assert file is not None
    attach(file, learner.id)
    uow.session.add(
        CvDocument(provider_id=learner.provider_id, learner_id=learner.id, kind=kind, file_id=file.id, added_at=uow.now)
    )
    uow.audit("Learner", learner.id, learner_id=learner.id, kind=kind.value, file=file.id)
    return learner.id


@mutation("cvDocumentRemove")
async def document_remove(uow: UnitOfWork, *, file_id: str) -> int:
    """Removes a document from the viewer's own CV. Returns the learner's key.

    Rejects with NOT_ALLOWED for every role but LEARNER, and NOT_FOUND where the CV has no such document.
    """
    learner = await _own_record(uow)
    documents = await documents_with_file(uow.session, learner.id, global_id.decode("File", file_id))
    if not documents:
        raise not_found("fileId")
    for document in documents:
        await uow.session.delete(document)
    uow.audit("Learner", learner.id, learner_id=learner.id, file=documents[0].file_id)
    return learner.id


@mutation("photoSet")
async def photo_set(uow: UnitOfWork, *, file_id: str | None = None) -> UserChange:
    """Sets the viewer's own photo; without a file it is removed. Returns the keys of the user and of the learner.

    Rejects with NOT_ALLOWED for every role but LEARNER, NOT_FOUND and CONFLICT for the file, and INVALID where it is
    not a picture.
    """
    learner = await _own_record(uow)
    photo = None if file_id is None else await claim_picture(uow, file_id, "fileId")
    uow.raise_errors()
    if photo is not None:
        attach(photo, learner.id)
    if photo is not None or learner.photo_file_id is not None:
        learner.photo_file_id = photo.id if photo else None
        uow.audit("Learner", learner.id, learner_id=learner.id, fields=["photo_file_id"])
    return {"key": learner.user_id, "learners": [learner.id]}


async def _own_record(uow: UnitOfWork) -> Learner:
    """Returns the viewer's own record, locked, so that two requests that save the same section wait for each other."""
    uow.require(VIEWER, uow.viewer)
    learner = await uow.get_or_none(Learner, uow.viewer.learner_key)
    if learner is None:
        raise not_found()
    return learner
