"""A learner's CV, stored by section, and the documents attached to it."""

from sqlalchemy.orm import Mapped

from db.models.base import Base, LongText, PrimaryKey, Timestamp, enum_column, reference
from db.models.growth import Growth
from db.models.personal_data import LearnerRows
from domain.enums import CvDocumentKind, CvSectionName, PortfolioPart


class CvSection(Base):
    """The text of one section."""

    __tablename__ = "cv_section"
    __part__ = PortfolioPart.CV
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Growth.BOUNDED

    learner_id: Mapped[int] = reference("learner.id", index=False, primary_key=True)
    name: Mapped[CvSectionName] = enum_column(CvSectionName, primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    text: Mapped[LongText]
    updated_at: Mapped[Timestamp]


class CvDocument(Base):
    """An uploaded CV, job description, company profile, or other document."""

    __tablename__ = "cv_document"
    __part__ = PortfolioPart.CV
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Growth.PART
    __row_limits__ = {"learner_id": 100}

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    kind: Mapped[CvDocumentKind] = enum_column(CvDocumentKind)
    file_id: Mapped[int] = reference("file.id")
    added_at: Mapped[Timestamp]
