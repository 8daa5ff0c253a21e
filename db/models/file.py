"""Files: what was uploaded, by whom, with its digest; the bytes lie in the file store."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, PrimaryKey, ShortText, Timestamp, reference
from db.models.entity import Entity, Visibility


class File(Base):
    """One file. Announced (`uploaded_at` null), then stored; bound to one learner when it is first used.

    Until it is bound only its uploader sees it; from then on whoever sees the learner does.
    """

    __tablename__ = "file"
    __entity__ = Entity("File", Visibility.FILE_ITSELF)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int | None] = reference("learner.id", nullable=True)
    # Set where the file belongs to one aim (evidence, resources): an assessor of another aim does not see it.
    aim_id: Mapped[int | None] = reference("aim.id", nullable=True)
    name: Mapped[ShortText]
    content_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))
    storage_key: Mapped[str | None] = mapped_column(String(200))
    uploaded_by_id: Mapped[int] = reference("user_account.id")
    announced_at: Mapped[Timestamp]
    uploaded_at: Mapped[Timestamp | None]
    erased_at: Mapped[Timestamp | None]
