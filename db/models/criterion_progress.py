"""A learner's progress in a criterion: a row only for criteria that have or had evidence."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Key, Timestamp, reference
from db.models.growth import Growth
from domain.enums import PortfolioPart


class CriterionProgress(Base):
    """The progress in one criterion of one aim: how much evidence is mapped to it, and whether it is signed off."""

    __tablename__ = "criterion_progress"
    __part__ = PortfolioPart.UNIT
    __growth__ = Growth.BOUNDED
    __table_args__ = (Index("ix_criterion_progress_unit", "aim_id", "unit_id"),)

    aim_id: Mapped[int] = reference("aim.id", index=False, primary_key=True)
    criterion_id: Mapped[int] = reference("qualification_criterion.id", index=False, primary_key=True)
    provider_id: Mapped[int] = mapped_column(Key)
    learner_id: Mapped[int] = reference("learner.id")
    unit_id: Mapped[int] = reference("qualification_unit.id", index=False)
    evidence_count: Mapped[int] = mapped_column(default=0)
    signed_off: Mapped[bool] = mapped_column(default=False)
    signed_off_by_id: Mapped[int | None] = reference("user_account.id", nullable=True, index=False)
    signed_off_at: Mapped[Timestamp | None]
