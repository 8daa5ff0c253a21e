"""The reasons that people give when they take something back, beside the audit trail, which holds no text."""

from sqlalchemy.orm import Mapped

from db.models.base import Base, LongText, reference
from db.models.growth import Growth
from db.models.personal_data import ERASED, personal


class ChangeReason(Base):
    """The reason of one audit event. Erasure blanks it; the event and its chain stay."""

    __tablename__ = "change_reason"
    __growth__ = Growth.PART

    audit_event_id: Mapped[int] = reference("audit_event.id", index=False, primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int | None] = reference("learner.id", nullable=True)
    reason: Mapped[LongText] = personal(erased=ERASED)
