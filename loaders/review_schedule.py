"""Formal reviews: when each learner was last reviewed, when the next review is due, and whether it is booked."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from db.sql.any_of import any_of
from domain import clock
from domain.enums import AimStatus, ReviewBooking, Role, SessionStatus, SessionType
from domain.reviews import MONTHLY_FROM, review_booking, review_due
from loaders.core.base import OneLoader
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, derived, optional, row
from loaders.session import SessionRow, next_planned


@row(Learner)
class ReviewScheduleRow(LightRow):
    """When the last attended formal review began (None before the first), and the day by which the next is due.

    `review_due_on` is None if no aim is in training. `next_review` is the planned formal review that begins next.
    """

    learner_key: int = column(Learner.id)
    last_review_at: dt.datetime | None = column()
    # The earliest starts of aims in training, under the rule of weeks and under that of months.
    weekly_since: dt.date | None = column()
    monthly_since: dt.date | None = column()
    # The day of the return from a break of every aim in training.
    returned_on: dt.date | None = column()
    next_review: SessionRow | None = optional(SessionRow)
    review_due_on: dt.date | None = derived("last_review_at", "weekly_since", "monthly_since", "returned_on")
    review_booking: ReviewBooking | None = derived("review_due_on", "next_review")

    @classmethod
    def derive(cls, rows: Sequence["ReviewScheduleRow"], reading: ReadSession) -> None:
        rules = reading.viewer.rules
        for each in rows:
            last = each.last_review_at
            each.review_due_on = review_due(
                clock.day_of(last) if last else None,
                [start for start in (each.weekly_since, each.monthly_since) if start is not None],
                each.returned_on,
                rules.review_interval_weeks,
                rules.review_months,
            )
            booked = clock.day_of(each.next_review.starts_at) if each.next_review else None
            each.review_booking = review_booking(each.review_due_on, booked)


def last_reviews(role: Role, *of: ColumnElement[bool]) -> Subquery:
    """Returns a subquery of (learner_id, at): when the last attended formal review of each learner began.

    `of` are conditions on the sessions.
    """
    return (
        select(Session.learner_id, func.max(Session.starts_at).label("at"))
        .where(
            *of,
            Session.type == SessionType.FORMAL_REVIEW,
            Session.status == SessionStatus.ATTENDED,
            scope.sees(role, Session),
        )
        .group_by(Session.learner_id)
        .subquery()
    )


def in_training(role: Role, breaks: Sequence[ColumnElement[bool]], aims: Sequence[ColumnElement[bool]]) -> Subquery:
    """Returns a subquery of (learner_id, weekly, monthly, returned) of the learners with an aim in training.

    They are those of `ReviewScheduleRow`. `breaks` and `aims` are conditions on both.
    """
    # unscoped: joined to aims, whose scope is that of their breaks
    returns = (
        select(AimBreak.aim_id, func.max(AimBreak.returned_on).label("on"))
        .where(*breaks, scope.of_provider(AimBreak))
        .group_by(AimBreak.aim_id)
        .subquery()
    )
    return (
        select(
            Aim.learner_id,
            func.min(case((Aim.start_date < MONTHLY_FROM, Aim.start_date))).label("weekly"),
            func.min(case((Aim.start_date >= MONTHLY_FROM, Aim.start_date))).label("monthly"),
            case((func.count(returns.c.on) == func.count(), func.min(returns.c.on))).label("returned"),
        )
        .outerjoin(returns, returns.c.aim_id == Aim.id)
        .where(*aims, Aim.status == AimStatus.IN_TRAINING, scope.sees_aim(role))
        .group_by(Aim.learner_id)
        .subquery()
    )


@cached_statement
def _schedules(role: Role) -> Select:
    last = last_reviews(role, any_of(Session.learner_id))
    training = in_training(role, [any_of(AimBreak.learner_id)], [any_of(Aim.learner_id)])
    return (
        ReviewScheduleRow.select(
            role,
            last_review_at=last.c.at,
            weekly_since=training.c.weekly,
            monthly_since=training.c.monthly,
            returned_on=training.c.returned,
        )
        .outerjoin(Session, Session.id == next_planned(role, SessionType.FORMAL_REVIEW))
        .outerjoin(User, User.id == Session.assessor_id)
        .outerjoin(last, last.c.learner_id == Learner.id)
        .outerjoin(training, training.c.learner_id == Learner.id)
        .where(any_of(Learner.id), scope.sees(role, Learner))
    )


class ReviewScheduleLoader(OneLoader[int, ReviewScheduleRow]):
    """Loads the review schedule of a learner, over the sessions and aims that the viewer sees."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, ReviewScheduleRow]:
        reading = self.reading
        rows = await reading.read(ReviewScheduleRow, _schedules(reading.viewer.role), keys=keys, now=reading.now)
        return {row.learner_key: row for row in rows}
