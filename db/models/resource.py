"""Resources and files from the course: material of one aim of a learner, added by an assessor."""

from sqlalchemy.orm import Mapped

from db.models.base import Base, PrimaryKey, ShortText, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.personal_data import LearnerRows
from domain.enums import PortfolioPart, ResourceBucket


class Resource(Base):
    """One file in one of an aim's two buckets."""

    __tablename__ = "resource"
    __part__ = PortfolioPart.RESOURCE
    __entity__ = Entity("Resource", Visibility.RECORD)
    __learner_rows__ = LearnerRows(deleted=True)
    __row_limits__ = {"aim_id": 500}

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int] = reference("aim.id")
    bucket: Mapped[ResourceBucket] = enum_column(ResourceBucket)
    title: Mapped[ShortText]
    file_id: Mapped[int] = reference("file.id")
    added_by_id: Mapped[int] = reference("user_account.id")
    added_at: Mapped[Timestamp]
