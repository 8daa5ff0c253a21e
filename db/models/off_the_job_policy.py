"""The policy for off-the-job hours: what aims that start from a day require, imported as qualifications are."""

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped

from db.models.base import Base, Date, LongText, PrimaryKey, Timestamp, reference
from db.models.growth import Growth
from db.models.personal_data import Reason, not_personal


class OffTheJobPolicy(Base):
    """The hours of aims whose original start is `starts_from` or later, until a later row applies.

    A row with a reference applies to that standard, a row without one to every standard that has none of its own.
    Prior learning never reduces the hours below `floor_hours`.
    """

    __tablename__ = "off_the_job_policy"
    __growth__ = Growth.INSTALLATION
    __table_args__ = (UniqueConstraint("provider_id", "reference", "starts_from"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    reference: Mapped[str | None] = not_personal(Reason.ORGANISATION, String(40))
    starts_from: Mapped[Date]
    minimum_hours: Mapped[int]
    floor_hours: Mapped[int]
    source: Mapped[LongText] = not_personal(Reason.ORGANISATION)
    imported_at: Mapped[Timestamp]
