"""The parts of uploads that were cut, until the rest has arrived."""

import datetime as dt

from sqlalchemy import BigInteger, ColumnElement, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, PrimaryKey, Timestamp, reference
from db.models.file import File
from db.models.growth import Sweep
from db.models.personal_data import DataSubject, LearnerRows, Reason, not_personal


class UploadPart(Base):
    """A part of an announced file, in the file store. `starts_at` is its place in the file, both numbers in bytes.

    The parts of a file follow each other without a gap. They are deleted once the whole file is stored.
    """

    __tablename__ = "upload_part"
    __internal__ = True
    __growth__ = Sweep(dt.timedelta(days=1), lambda table, before: table.received_at < before, content="storage_key")
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    __table_args__ = (UniqueConstraint("file_id", "starts_at"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    file_id: Mapped[int] = reference("file.id", index=False)
    starts_at: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    storage_key: Mapped[str] = not_personal(Reason.STORAGE_KEY, String(200), exported=False)
    received_at: Mapped[Timestamp] = mapped_column(index=True)

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """The parts of the learner's files."""
        # unscoped: one learner's files, for erasure
        return cls.file_id.in_(select(File.id).where(File.rows_about(subject)))
