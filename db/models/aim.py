"""Aims: the components of a learner's programme, each with the counts of its criteria."""

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
    references_in_text,
)
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import Ending, LearnerRows, Reason, not_personal, personal
from db.models.updated_at import updated_at_column
from domain.enums import AimOutcome, AimStatus, PortfolioPart
from domain.progress import ENDED


class Aim(Base):
    """One component of a programme, pinned to one version of a qualification."""

    __tablename__ = "aim"
    __part__ = PortfolioPart.AIM
    __seen_by__ = frozenset({"assessor_id", "iqa_id"})
    __learner_rows__ = LearnerRows(
        ended=Ending(
            lambda aim: aim.status.not_in(ENDED),
            lambda today: {"status": AimStatus.WITHDRAWN, "actual_end_date": today},
        )
    )
    __entity__ = Entity("Aim", Visibility.AIM_ITSELF)
    __row_limits__ = {"learner_id": 100}
    __label__ = ("qualification_id",)
    __table_args__ = (
        Index("ix_aim_assessor", "assessor_id", "learner_id"),
        Index("ix_aim_iqa", "iqa_id", "learner_id"),
        Index("ix_aim_learner", "learner_id", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    qualification_id: Mapped[int] = reference("qualification.id")
    status: Mapped[AimStatus] = enum_column(AimStatus)
    assessor_id: Mapped[int | None] = reference("user_account.id", nullable=True, index=False)
    iqa_id: Mapped[int | None] = reference("user_account.id", nullable=True, index=False)
    start_date: Mapped[Date]
    planned_end_date: Mapped[Date]
    actual_end_date: Mapped[Date | None]
    # The day on which the learner first began, where that is not the start of this aim.
    original_start_date: Mapped[Date | None]
    # Why the start date was corrected last.
    start_date_reason: Mapped[LongText | None] = personal(erased=None)
    outcome: Mapped[AimOutcome | None] = enum_column(AimOutcome)
    # Off-the-job minutes that were agreed, before prior learning is taken off, and that prior learning.
    planned_minutes: Mapped[int | None]
    prior_learning_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp] = updated_at_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class AimProgress(Base):
    """What is counted for an aim, updated in each transaction that changes one of the numbers.

    `criteria_mapped` counts the criteria that have evidence or are signed off: it is at least `criteria_signed_off`.
    """

    __tablename__ = "aim_progress"
    __part__ = PortfolioPart.AIM
    __growth__ = Growth.BOUNDED

    aim_id: Mapped[int] = reference_without_constraint("aim", primary_key=True, autoincrement=False)
    provider_id: Mapped[int] = reference("provider.id", index=False)
    learner_id: Mapped[int] = reference("learner.id")
    criteria_total: Mapped[int]
    criteria_mapped: Mapped[int] = mapped_column(default=0)
    criteria_signed_off: Mapped[int] = mapped_column(default=0)
    # The days between start and planned end that belong to breaks that have ended, the first day of the open break, and
    # all breaks as `domain.breaks.format_periods` writes them.
    days_on_break: Mapped[int] = mapped_column(default=0, server_default="0")
    break_since: Mapped[Date | None]
    breaks: Mapped[LongText | None] = not_personal(Reason.CODE)
    # The keys of the optional units that are chosen, and how many the qualification still requires.
    chosen_units: Mapped[str | None] = references_in_text("qualification_unit")
    units_to_choose: Mapped[int] = mapped_column(default=0, server_default="0")
    # Off-the-job minutes that are required and planned after prior learning, and the policy that says so.
    required_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    planned_minutes: Mapped[int | None]
    policy_id: Mapped[int | None] = reference_without_constraint("off_the_job_policy")
