"""Sections and documents of a learner's CV."""

from typing import Any

from db.models.cv import CvDocument, CvSection
from db.models.file import File
from db.models.learner import Learner
from domain.enums import CvDocumentKind, CvSectionName
from tests.support.factories.base import RowFactory


class CvFactory(RowFactory):
    async def cv_section(
        self, learner: Learner, name: CvSectionName, text: str = "Welding", **columns: Any
    ) -> CvSection:
        values = {"updated_at": self.now, **columns}
        return await self.add(
            CvSection(provider_id=learner.provider_id, learner_id=learner.id, name=name, text=text, **values)
        )

    async def cv_document(self, learner: Learner, kind: CvDocumentKind, file: File, **columns: Any) -> CvDocument:
        values = {"added_at": self.now, **columns}
        return await self.add(
            CvDocument(provider_id=learner.provider_id, learner_id=learner.id, kind=kind, file_id=file.id, **values)
        )
