"""A learner's CV: its sections in their order, and the documents beside it."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, select

from auth import scope
from db.models.cv import CvDocument, CvSection
from db.models.file import File
from db.sql.any_of import any_of
from domain.enums import CvDocumentKind, CvSectionName, Role
from loaders.core.read_session import ManyLoader, cached_statement
from loaders.file import FILE_COLUMNS, FileRow

_PLACES = {name: place for place, name in enumerate(CvSectionName)}


@dataclass(slots=True)
class CvRow:
    """Whose CV; its parts are read when somebody asks."""

    learner_key: int


@dataclass(slots=True)
class CvSectionRow:
    """One saved section."""

    name: CvSectionName
    text: str
    updated_at: dt.datetime


@dataclass(slots=True)
class CvDocumentRow:
    """One document beside the CV."""

    kind: CvDocumentKind
    file: FileRow


@cached_statement
def _sections(role: Role) -> Select:
    return select(CvSection.learner_id, CvSection.name, CvSection.text, CvSection.updated_at).where(
        any_of(CvSection.learner_id), scope.sees_learner(role, CvSection.learner_id), scope.of_provider(CvSection)
    )


@cached_statement
def _documents(role: Role) -> Select:
    return (
        select(CvDocument.learner_id, CvDocument.kind, *FILE_COLUMNS)
        .join(File, File.id == CvDocument.file_id)
        .where(
            any_of(CvDocument.learner_id),
            scope.sees_learner(role, CvDocument.learner_id),
            scope.of_provider(CvDocument),
        )
        .order_by(CvDocument.added_at, CvDocument.id)
    )


class CvSectionsLoader(ManyLoader[int, CvSectionRow]):
    """The sections that were saved, by the learner's key, in the order of a CV."""

    async def fetch(self, keys: list[int]) -> dict[int, list[CvSectionRow]]:
        found: dict[int, list[CvSectionRow]] = {}
        for learner_key, *section in await self.reading.rows(_sections(self.reading.viewer.role), keys=keys):
            found.setdefault(learner_key, []).append(CvSectionRow(*section))
        for sections in found.values():
            sections.sort(key=lambda section: _PLACES[section.name])
        return found


class CvDocumentsLoader(ManyLoader[int, CvDocumentRow]):
    """The documents beside the CV, by the learner's key, the oldest first."""

    async def fetch(self, keys: list[int]) -> dict[int, list[CvDocumentRow]]:
        found: dict[int, list[CvDocumentRow]] = {}
        for learner_key, kind, *file in await self.reading.rows(_documents(self.reading.viewer.role), keys=keys):
            found.setdefault(learner_key, []).append(CvDocumentRow(kind, FileRow(*file)))
        return found
