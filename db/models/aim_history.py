"""The history: the state of each aim at the end of each day in London, and the time logged on each day.

Days are numbers (`domain.day_number`). A row says what was recorded by the end of its
day; later days change it no more. `db/history/daily_rows.py` writes the rows.
"""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Date, Key, enum_column, reference, reference_without_constraint
from db.models.growth import Growth
from domain.enums import AimStatus


class AimHistory(Base):
    """The state of an aim from the end of a day on which it changed, until it changed on another day.

    The traffic light of a day follows from the days on which the aim would reach it: NOT_RATED before `rated_from`,
    AHEAD from then, ON_TRACK from `on_track_from`, OFF_TRACK from `off_track_from`; None for never. They were worked
    out with the provider's settings of that time.
    """

    __tablename__ = "aim_history"
    __growth__ = Growth.PART
    __table_args__ = (
        Index("ix_aim_history_learner", "learner_id", "day"),
        Index("ix_aim_history_provider", "provider_id", "day"),
    )

    aim_id: Mapped[int] = reference("aim.id", index=False, primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # The day of the next row of the aim, once it was filled in (`db.history.daily_rows.close_rows`).
    until: Mapped[int | None]
    # No foreign key: each row would lock that of the provider, to which every writer adds.
    provider_id: Mapped[int] = mapped_column(Key)
    learner_id: Mapped[int] = reference("learner.id", index=False)
    employer_id: Mapped[int | None] = reference_without_constraint("employer")
    assessor_id: Mapped[int | None] = reference_without_constraint("user_account")
    qualification_id: Mapped[int] = reference_without_constraint("qualification")
    status: Mapped[AimStatus] = enum_column(AimStatus)
    start_date: Mapped[Date]
    planned_end_date: Mapped[Date]
    criteria_total: Mapped[int]
    criteria_mapped: Mapped[int]
    criteria_signed_off: Mapped[int]
    units_to_choose: Mapped[int]
    days_on_break: Mapped[int]
    break_since: Mapped[Date | None]
    rated_from: Mapped[int | None]
    on_track_from: Mapped[int | None]
    off_track_from: Mapped[int | None]
    # The first day on which the aim would be past its planned end.
    late_from: Mapped[int | None]
    # When it was first recorded that the aim had started, and since when its present end is recorded.
    started_on: Mapped[int]
    completed_on: Mapped[int | None]
    withdrawn_on: Mapped[int | None]


class TimeHistory(Base):
    """Off-the-job minutes that came to count on a day; negative where more were taken back than added.

    The first row of a learner, which may have no minutes, is of the day on which the learner was enrolled.
    """

    __tablename__ = "time_history"
    __growth__ = Growth.PART
    __table_args__ = (Index("ix_time_history_provider", "provider_id", "day"),)

    learner_id: Mapped[int] = reference("learner.id", index=False, primary_key=True)
    # 0 for entries without an aim.
    aim_id: Mapped[int] = reference_without_constraint("aim", primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider_id: Mapped[int] = mapped_column(Key)
    minutes: Mapped[int]
