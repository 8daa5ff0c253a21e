"""The time log: learning on and off the job, to the minute."""

from sqlalchemy import CheckConstraint, Index
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
from db.models.entity import Entity, Visibility
from db.models.personal_data import personal
from db.models.updated_at import updated_at_column
from domain.enums import ActivityType, JobSetting, OffTheJobExclusionReason, PortfolioPart


class TimeLogEntry(Base):
    """Learning time on one day. An attended session has exactly one automatic entry."""

    __tablename__ = "time_log_entry"
    __part__ = PortfolioPart.TIME_LOG
    __entity__ = Entity("TimeLogEntry", Visibility.RECORD)
    __table_args__ = (
        CheckConstraint("minutes between 1 and 1440", name="minutes_in_a_day"),
        Index("ix_time_log_entry_learner_date", "learner_id", "date", "id"),
        Index("ix_time_log_entry_updated", "provider_id", "updated_at", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    date: Mapped[Date]
    activity_type: Mapped[ActivityType] = enum_column(ActivityType)
    job_setting: Mapped[JobSetting] = enum_column(JobSetting)
    minutes: Mapped[int]
    aim_id: Mapped[int | None] = reference("aim.id", nullable=True)
    unit_id: Mapped[int | None] = reference("qualification_unit.id", nullable=True)
    assessor_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    comments: Mapped[LongText] = personal(erased="")
    automatic: Mapped[bool] = mapped_column(default=False)
    # Unique, so that of two concurrent completions of a session only one adds an entry.
    session_id: Mapped[int | None] = reference("session.id", nullable=True, index=False, unique=True)
    added_by_id: Mapped[int] = reference("user_account.id")
    added_at: Mapped[Timestamp]
    approved_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    approved_at: Mapped[Timestamp | None]
    # Why its minutes do not count (services/off_the_job.py).
    exclusion: Mapped[OffTheJobExclusionReason | None] = enum_column(OffTheJobExclusionReason)
    employer_confirmed_by_id: Mapped[int | None] = reference_without_constraint("user_account")
    employer_confirmed_at: Mapped[Timestamp | None]
    updated_at: Mapped[Timestamp] = updated_at_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
