"""Progress reviews: what learner, assessor and employer discuss in a formal review, and what each writes."""

from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Date, LongText, PrimaryKey, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import LearnerRows, personal
from domain.enums import EmployerAttendance, PortfolioPart, Role


class Review(Base):
    """The review of one FORMAL_REVIEW session; `number` counts from 1 for the learner.

    It is a draft until it is issued, which makes its document (`ReviewDocument`). `figures` are those of that moment,
    as `loaders/review_figures.py` writes them; NULL in a draft.
    """

    __tablename__ = "review"
    __part__ = PortfolioPart.REVIEW
    __entity__ = Entity("Review", Visibility.SESSION)
    __label__ = ("number",)
    __table_args__ = (UniqueConstraint("session_id"), UniqueConstraint("learner_id", "number"))

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    session_id: Mapped[int] = reference("session.id", index=False)
    number: Mapped[int]
    # The session of the review before, whose actions are looked at.
    previous_session_id: Mapped[int | None] = reference("session.id", nullable=True)
    covers_from: Mapped[Date]
    employer_attendance: Mapped[EmployerAttendance | None] = enum_column(EmployerAttendance)
    figures: Mapped[dict[str, Any] | None] = personal(JSON(none_as_null=True), erased=None)
    # When it was started or last reopened: since then its parties can write. NULL if an older process started it.
    started_at: Mapped[Timestamp | None]
    issued_at: Mapped[Timestamp | None]
    updated_at: Mapped[Timestamp]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ReviewDocument(Base):
    """The document of an issued review: a signature request, whose slots are the review's.

    When the review is reopened it is replaced, and the request is cancelled.
    """

    __tablename__ = "review_document"
    __part__ = PortfolioPart.REVIEW
    __growth__ = Growth.PART
    __table_args__ = (
        Index(
            "uq_review_document_current",
            "review_id",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    request_id: Mapped[int] = reference("signature_request.id", index=False, primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    review_id: Mapped[int] = reference("review.id")
    replaced_at: Mapped[Timestamp | None]


class ReviewAnswer(Base):
    """What one role says in a review, in their own words."""

    __tablename__ = "review_answer"
    __part__ = PortfolioPart.REVIEW
    __growth__ = Growth.PART
    __learner_rows__ = LearnerRows(deleted=True)
    __table_args__ = (UniqueConstraint("review_id", "role"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    review_id: Mapped[int] = reference("review.id", index=False)
    role: Mapped[Role] = enum_column(Role)
    answered_by_id: Mapped[int] = reference("user_account.id")
    answered_at: Mapped[Timestamp]
    progress_since_last: Mapped[LongText | None]
    concerns: Mapped[LongText | None]
    changes_to_plan: Mapped[LongText | None]
    next_steps: Mapped[LongText | None]
