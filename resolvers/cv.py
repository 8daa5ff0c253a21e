"""A learner's CV: saved section by section by the learner, with documents beside it."""

from db.models.cv import CvDocument, CvSection
from db.models.learner import Learner
from domain.enums import CvDocumentKind, CvSectionName
from domain.errors import not_allowed
from resolvers.core.unit_of_work import Change, writes
from resolvers.core.validation import prose
from resolvers.file import bind, usable


@writes("cvSectionSave")
async def section_save(change: Change, *, name: CvSectionName, text: str) -> int:
    """Saves one section of the viewer's own CV; an empty text clears it. Gives the learner's key.

    Refuses with NOT_ALLOWED for anybody but a learner, INVALID for a text that is too long.
    """
    learner = await _own(change)
    text = prose(change, text, "text", required=False)
    change.check()
    section = await change.session.get(CvSection, (learner.id, name))
    if section is None:
        section = CvSection(learner_id=learner.id, name=name, provider_id=learner.provider_id)
        change.session.add(section)
    section.text, section.updated_at = text, change.now
    change.record("Learner", learner.id, learner_id=learner.id, section=name.value)
    return learner.id


@writes("cvDocumentAdd")
async def document_add(change: Change, *, kind: CvDocumentKind, file_id: str) -> int:
    """Puts a document beside the viewer's own CV. Gives the learner's key.

    Refuses with NOT_ALLOWED for anybody but a learner, NOT_FOUND, INVALID and CONFLICT for the file.
    """
    learner = await _own(change)
    file = await usable(change, file_id, "fileId")
    change.check()
    assert file is not None
    bind(file, learner.id)
    change.session.add(
        CvDocument(
            provider_id=learner.provider_id, learner_id=learner.id, kind=kind, file_id=file.id, added_at=change.now
        )
    )
    change.record("Learner", learner.id, learner_id=learner.id, kind=kind.value, file=file.id)
    return learner.id


async def _own(change: Change) -> Learner:
    """The viewer's own record, locked, so that two who save the same section wait for each other."""
    change.allow()
    learner = await change.find(Learner, change.viewer.learner_key)
    if learner is None:
        raise not_allowed("There is no learner's record of yours to save this in.")
    return learner
