"""Breaks in learning: the days on which the learner of an aim is not in training."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Date, LongText, PrimaryKey, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.personal_data import Ending, LearnerRows, personal
from domain.enums import BreakReason, PortfolioPart


class AimBreak(Base):
    """A break of one aim, from its first day to the day before the return; open until `returned_on` is set.

    Breaks of one aim never overlap.
    """

    __tablename__ = "aim_break"
    __part__ = PortfolioPart.AIM
    __learner_rows__ = LearnerRows(
        ended=Ending(lambda each: each.returned_on.is_(None), lambda today: {"returned_on": today})
    )
    __entity__ = Entity("Break", Visibility.RECORD)
    __row_limits__ = {"aim_id": 100}
    __label__ = ("start_date",)
    __table_args__ = (Index("ix_aim_break_aim_start", "aim_id", "start_date"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int] = reference("aim.id", index=False)
    start_date: Mapped[Date]
    expected_return_date: Mapped[Date | None]
    returned_on: Mapped[Date | None]
    reason: Mapped[BreakReason] = enum_column(BreakReason)
    note: Mapped[LongText | None] = personal(erased=None)
    created_by_id: Mapped[int] = reference("user_account.id", index=False)
    created_at: Mapped[Timestamp]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
