"""A learner's CV: its sections in the order of a CV, and the documents kept with it."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select

from auth import scope
from db.models.cv import CvDocument, CvSection
from db.models.file import File
from domain.enums import CvDocumentKind, CvSectionName, Role
from loaders.core.base import RelatedLoader
from loaders.core.rows import LightRow, column, nested, row
from loaders.file import FileRow

_POSITIONS = {name: position for position, name in enumerate(CvSectionName)}


@dataclass(slots=True)
class CvRow:
    """The CV of a learner. Its sections and documents are loaded when they are selected."""

    learner_key: int


@row(CvSection)
class CvSectionRow(LightRow):
    """A saved section of a CV."""

    name: CvSectionName = column(CvSection.name)
    text: str = column(CvSection.text)
    updated_at: dt.datetime = column(CvSection.updated_at)


@row(CvDocument, joins=lambda statement: statement.join(File, File.id == CvDocument.file_id))
class CvDocumentRow(LightRow):
    """A document kept with a CV."""

    kind: CvDocumentKind = column(CvDocument.kind)
    file: FileRow = nested(FileRow)


def _of_visible_learners(statement: Select, role: Role, table: type[CvSection] | type[CvDocument]) -> Select:
    return statement.where(scope.sees_learner(role, table.learner_id), scope.of_provider(table))


class CvSectionsLoader(RelatedLoader[CvSectionRow]):
    """Loads the saved sections by the learner's key, in the order of a CV."""

    row, parent = CvSectionRow, CvSection.learner_id

    @classmethod
    def statement(cls, role: Role) -> Select:
        return _of_visible_learners(CvSectionRow.select(role, CvSection.learner_id), role, CvSection)

    async def fetch(self, keys: list[int]) -> dict[int, list[CvSectionRow]]:
        found = await super().fetch(keys)
        for sections in found.values():
            sections.sort(key=lambda section: _POSITIONS[section.name])
        return found


class CvDocumentsLoader(RelatedLoader[CvDocumentRow]):
    """Loads the documents kept with the CV by the learner's key, oldest first."""

    row, parent, order = CvDocumentRow, CvDocument.learner_id, (CvDocument.added_at, CvDocument.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return _of_visible_learners(CvDocumentRow.select(role, CvDocument.learner_id), role, CvDocument)
