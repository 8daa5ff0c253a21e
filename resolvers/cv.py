"""A learner saves the sections of their CV and adds documents to it."""

from db.models.cv import CvDocument, CvSection
from db.models.learner import Learner
from domain.enums import CvDocumentKind, CvSectionName
from domain.errors import not_allowed
from resolvers.core.attachments import attach, claim_upload
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line


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
    uow.raise_errors()
    assert file is not None
    attach(file, learner.id)
    uow.session.add(
        CvDocument(provider_id=learner.provider_id, learner_id=learner.id, kind=kind, file_id=file.id, added_at=uow.now)
    )
    uow.audit("Learner", learner.id, learner_id=learner.id, kind=kind.value, file=file.id)
    return learner.id


async def _own_record(uow: UnitOfWork) -> Learner:
    """Returns the viewer's own record, locked, so that two requests that save the same section wait for each other."""
    uow.authorize()
    learner = await uow.get_or_none(Learner, uow.viewer.learner_key)
    if learner is None:
        raise not_allowed("You have no learner record, so you cannot have a CV here.")
    return learner
