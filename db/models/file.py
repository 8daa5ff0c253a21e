"""Files: name, type, digest and uploader. The content is in the file store."""

import datetime as dt

from sqlalchemy import ColumnElement, String, and_, func, or_
from sqlalchemy.orm import Mapped

from db.models.base import Base, Digest, PrimaryKey, ShortText, Timestamp, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Sweep
from db.models.personal_data import ERASED, DataSubject, Reason, not_personal, personal


class File(Base):
    """One file. Announced first (`uploaded_at` is NULL), then uploaded. One that no record uses is deleted later.

    The first record that uses it sets `learner_id`. Until then only its uploader sees it; afterwards everybody who sees
    the learner.
    """

    __tablename__ = "file"
    __entity__ = Entity("File", Visibility.FILE_ITSELF)
    __growth__ = Sweep(
        dt.timedelta(days=2),
        lambda table, before: and_(
            table.learner_id.is_(None), func.coalesce(table.uploaded_at, table.announced_at) < before
        ),
        subject=lambda table: table.learner_id.is_(None),
        content="storage_key",
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int | None] = reference("learner.id", nullable=True)
    # Set if the file belongs to one aim (evidence, resources): an assessor of another aim does not see it.
    aim_id: Mapped[int | None] = reference("aim.id", nullable=True)
    name: Mapped[ShortText] = personal(erased=ERASED)
    content_type: Mapped[str] = not_personal(Reason.CONTENT_TYPE, String(120))
    size: Mapped[int]
    sha256: Mapped[Digest | None]
    storage_key: Mapped[str | None] = not_personal(Reason.STORAGE_KEY, String(200), exported=False)
    uploaded_by_id: Mapped[int] = reference("user_account.id")
    announced_at: Mapped[Timestamp]
    uploaded_at: Mapped[Timestamp | None]
    erased_at: Mapped[Timestamp | None]

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """Also the learner's uploads that no record uses yet."""
        unused = and_(cls.uploaded_by_id == subject.user_key, cls.learner_id.is_(None))
        return or_(cls.learner_id == subject.learner_key, unused)
