"""The history of the status of aims: what an aim became, from which day, by whom and why."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from db.models.base import Base, Date, LongText, PrimaryKey, Timestamp, enum_column, reference
from db.models.growth import Growth
from db.models.personal_data import personal
from domain.enums import AimStatus, PortfolioPart


class AimStatusChange(Base):
    """One change of status. `from_date` is the day from which it holds, `changed_at` when it was recorded."""

    __tablename__ = "aim_status_change"
    __part__ = PortfolioPart.AIM
    __growth__ = Growth.PART
    __row_limits__ = {"aim_id": 500}
    __table_args__ = (Index("ix_aim_status_change_aim", "aim_id", "id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int] = reference("aim.id", index=False)
    status: Mapped[AimStatus] = enum_column(AimStatus)
    from_date: Mapped[Date]
    # None where the migration from 0.1.0 found no record of it.
    changed_by_id: Mapped[int | None] = reference("user_account.id", nullable=True, index=False)
    changed_at: Mapped[Timestamp]
    reason: Mapped[LongText | None] = personal(erased=None)
