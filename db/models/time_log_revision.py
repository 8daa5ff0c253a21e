"""Earlier states of time log entries: what an entry said before it was changed."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import (
    Base,
    Date,
    LongText,
    PrimaryKey,
    Timestamp,
    enum_column,
    reference,
    reference_without_constraint,
)
from db.models.growth import Growth
from db.models.personal_data import personal
from domain.enums import ActivityType, JobSetting, PortfolioPart


class TimeLogRevision(Base):
    """The state of an entry until somebody changed it. It is kept when the entry is deleted."""

    __tablename__ = "time_log_revision"
    __part__ = PortfolioPart.TIME_LOG
    __growth__ = Growth.PART
    __row_limits__ = {"entry_id": 200}
    __table_args__ = (Index("ix_time_log_revision_entry", "entry_id", "id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    entry_id: Mapped[int] = reference_without_constraint("time_log_entry")
    changed_by_id: Mapped[int] = reference("user_account.id", index=False)
    changed_at: Mapped[Timestamp]
    date: Mapped[Date]
    minutes: Mapped[int] = mapped_column()
    job_setting: Mapped[JobSetting] = enum_column(JobSetting)
    activity_type: Mapped[ActivityType] = enum_column(ActivityType)
    comments: Mapped[LongText] = personal(erased="")
