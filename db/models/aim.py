"""Aims: the components of a learner's programme, each with the counts of its criteria."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Date, PrimaryKey, Timestamp, enum_column, reference, reference_without_constraint
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from domain.enums import AimStatus


class Aim(Base):
    """One component of a programme, pinned to one version of a qualification."""

    __tablename__ = "aim"
    __entity__ = Entity("Aim", Visibility.AIM_ITSELF)
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
    created_at: Mapped[Timestamp]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class AimProgress(Base):
    """The counts of an aim's criteria, updated in each transaction that changes one of them.

    `criteria_mapped` counts the criteria that have evidence or are signed off: it is at least `criteria_signed_off`.
    """

    __tablename__ = "aim_progress"
    __growth__ = Growth.BOUNDED

    aim_id: Mapped[int] = reference_without_constraint("aim", primary_key=True, autoincrement=False)
    provider_id: Mapped[int] = reference("provider.id", index=False)
    learner_id: Mapped[int] = reference("learner.id")
    criteria_total: Mapped[int]
    criteria_mapped: Mapped[int] = mapped_column(default=0)
    criteria_signed_off: Mapped[int] = mapped_column(default=0)
