"""Sessions (visits): the learning plan, with the aims that each session is about and its files."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import (
    Base,
    LongText,
    PrimaryKey,
    ShortText,
    Timestamp,
    enum_column,
    reference,
    reference_without_constraint,
)
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import Ending, LearnerRows, personal
from db.models.updated_at import updated_at_column
from domain.enums import PortfolioPart, SessionStatus, SessionType


class Session(Base):
    """One planned or completed session; `number` counts from 1 within the learner's plan."""

    __tablename__ = "session"
    __part__ = PortfolioPart.SESSION
    __learner_rows__ = LearnerRows(
        ended=Ending(
            lambda session: session.status == SessionStatus.PLANNED, lambda _: {"status": SessionStatus.CANCELLED}
        )
    )
    __entity__ = Entity("Session", Visibility.SESSION_ITSELF)
    __label__ = ("number",)
    __table_args__ = (
        UniqueConstraint("learner_id", "number"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_session_learner_start", "learner_id", "status", "starts_at"),
        Index("ix_session_assessor_start", "assessor_id", "status", "starts_at"),
        Index("ix_session_updated", "provider_id", "updated_at", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    number: Mapped[int]
    type: Mapped[SessionType] = enum_column(SessionType)
    status: Mapped[SessionStatus] = enum_column(SessionStatus)
    starts_at: Mapped[Timestamp]
    ends_at: Mapped[Timestamp]
    location: Mapped[ShortText | None] = personal(erased=None)
    assessor_id: Mapped[int] = reference("user_account.id", index=False)
    planning_notes: Mapped[LongText | None] = personal(erased=None)
    feedback: Mapped[LongText | None] = personal(erased=None)
    completed_at: Mapped[Timestamp | None]
    # Sessions that were booked together for a group have the key of the first of them.
    group_id: Mapped[int | None] = reference_without_constraint("session", index=True)
    updated_at: Mapped[Timestamp] = updated_at_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class SessionAim(Base):
    """An aim that a session is about."""

    __tablename__ = "session_aim"
    __part__ = PortfolioPart.SESSION
    __growth__ = Growth.PART

    session_id: Mapped[int] = reference("session.id", index=False, primary_key=True)
    aim_id: Mapped[int] = reference("aim.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")


class SessionFile(Base):
    """A file of a session, such as a review or an individual learning plan."""

    __tablename__ = "session_file"
    __part__ = PortfolioPart.SESSION
    __growth__ = Growth.PART
    __row_limits__ = {"session_id": 100}

    session_id: Mapped[int] = reference("session.id", index=False, primary_key=True)
    file_id: Mapped[int] = reference("file.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
