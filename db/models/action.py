"""Actions and activities that an assessor sets for a learner, with their files."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Date, LongText, PrimaryKey, ShortText, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import LearnerRows
from db.models.updated_at import updated_at_column
from domain.enums import ActionKind, ActionStatus, PortfolioPart


class Action(Base):
    """One piece of work with a target date, set in a session or outside one. Only an assessor completes it."""

    __tablename__ = "action"
    __part__ = PortfolioPart.ACTION
    __entity__ = Entity("Action", Visibility.RECORD)
    __row_limits__ = {"session_id": 200}
    __label__ = ("title",)
    __learner_rows__ = LearnerRows(deleted=True)
    __table_args__ = (Index("ix_action_learner_status", "learner_id", "status", "target_date"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    session_id: Mapped[int | None] = reference("session.id", nullable=True)
    aim_id: Mapped[int | None] = reference("aim.id", nullable=True)
    kind: Mapped[ActionKind] = enum_column(ActionKind)
    title: Mapped[ShortText]
    description: Mapped[LongText]
    target_date: Mapped[Date]
    status: Mapped[ActionStatus] = enum_column(ActionStatus)
    accepts_evidence: Mapped[bool] = mapped_column(default=False)
    set_by_id: Mapped[int] = reference("user_account.id")
    set_at: Mapped[Timestamp]
    learner_feedback: Mapped[LongText | None]
    minutes_spent: Mapped[int | None]
    learner_submitted_at: Mapped[Timestamp | None]
    completed_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    completed_at: Mapped[Timestamp | None]
    updated_at: Mapped[Timestamp] = updated_at_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ActionFile(Base):
    """A file attached to an action: a workbook or questions."""

    __tablename__ = "action_file"
    __part__ = PortfolioPart.ACTION
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Growth.PART
    __row_limits__ = {"action_id": 100}

    action_id: Mapped[int] = reference("action.id", index=False, primary_key=True)
    file_id: Mapped[int] = reference("file.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
