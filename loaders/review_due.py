"""The day by which a learner's next review is due, as SQL: for filters and orders of learners."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, case, func, select

from auth import scope
from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.learner import Learner
from db.models.session import Session
from db.sql import reviews
from db.sql.day_number import LondonDay, day_number
from db.sql.progress import TODAY
from domain.day_number import NO_DAY_NUMBER
from domain.enums import AimStatus, Role, SessionStatus, SessionType
from domain.reviews import MONTHLY_FROM
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession


def parameters(reading: ReadSession) -> dict[str, Any]:
    """Returns the parameters of these expressions."""
    rules = reading.viewer.rules
    return {"today": reading.today, **reviews.parameters(rules.review_interval_weeks, rules.review_months)}


def _due_day(role: Role) -> ColumnElement[Any]:
    """The number of the due day of the learner of a row (`ReviewScheduleRow`); NULL if no aim is in training."""
    last = (
        select(LondonDay(func.max(Session.starts_at)))
        .where(
            Session.learner_id == Learner.id,
            Session.type == SessionType.FORMAL_REVIEW,
            Session.status == SessionStatus.ATTENDED,
            scope.sees(role, Session),
        )
        .correlate(Learner)
        .scalar_subquery()
    )
    # unscoped: breaks of aims that the viewer sees
    returned = select(func.max(AimBreak.returned_on)).where(AimBreak.aim_id == Aim.id).correlate(Aim).scalar_subquery()
    due = reviews.due_day(
        last,
        func.min(case((Aim.start_date < MONTHLY_FROM, Aim.start_date))),
        func.min(case((Aim.start_date >= MONTHLY_FROM, Aim.start_date))),
        case((func.count(returned) == func.count(), func.min(returned))),
    )
    return (
        select(due)
        .select_from(Aim)
        .where(Aim.learner_id == Learner.id, Aim.status == AimStatus.IN_TRAINING, scope.sees_aim(role))
        .correlate(Learner)
        .scalar_subquery()
    )


def review_overdue(role: Role, overdue: bool) -> ColumnElement[bool]:
    """The condition that the day by which a learner's review is due has passed, or that it has not."""
    day, today = _due_day(role), day_number(TODAY)
    return day < today if overdue else func.coalesce(day, NO_DAY_NUMBER) >= today


def review_due_order(role: Role) -> Order:
    """By the day by which the next review is due, the earliest first; learners without one come last."""
    value = func.coalesce(_due_day(role), bindparam("no_end", NO_DAY_NUMBER, Integer), type_=Integer)
    return Order("review_due", value, Learner.id, None, bound=parameters)
