"""Learners: by key, and in pages with their filters and orders."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, bindparam, case, func, or_, select
from sqlalchemy.types import Date, Integer

from auth import scope
from db.models.aim import Aim, AimProgress
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import ManagerAllocation, User
from db.sql import progress as progress_sql
from db.sql.breaks import days_of_programmes
from domain import clock
from domain.enums import AimStatus, LearnerOrder, Role, TrafficLight
from domain.global_id import Identifier
from domain.progress import NEVER_LATE
from domain.text import fold_name
from loaders.core.base import EntityLoader
from loaders.core.filters import Filter, at_least, at_most, by_value, changed_since, one_of, refers_to, related, search
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, optional, row, shown_if
from loaders.employer import EmployerRow
from loaders.review_due import parameters as review_parameters
from loaders.review_due import review_due_order, review_overdue

_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_END = dt.date(9999, 12, 31)
# More than any number of points ahead, in tenths.
_NOT_MEASURED = 10_000


def _uln(role: Role) -> Any:
    return shown_if(scope.sees_uln(role), Learner.uln)


@row(
    Learner,
    joins=lambda statement: statement.join(User, User.id == Learner.user_id).outerjoin(
        Employer, Employer.id == Learner.employer_id
    ),
)
class LearnerRow(LightRow):
    """A learner with their name and employer."""

    key: int = column(Learner.id)
    user_key: int = column(Learner.user_id)
    name: str = column(User.name)
    last_login_at: dt.datetime | None = column(User.last_login_at)
    # None if it is not known or the viewer may not see it.
    uln: str | None = column(_uln)
    photo_key: int | None = column(Learner.photo_file_id)
    erased: bool = column(Learner.erased_at.is_not(None))
    updated_at: dt.datetime = column(Learner.updated_at)
    employer: EmployerRow | None = optional(EmployerRow, key=Learner.employer_id)

    id = Identifier("Learner", "key")


class LearnerLoader(EntityLoader[LearnerRow]):
    """Loads learners by key."""

    row = LearnerRow


def _with_aim(role: Role, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return Learner.id.in_(select(Aim.learner_id).where(condition, scope.sees_aim(role)))


class _NotSignedInSince(Filter):
    """Learners whose last login is before a day in London, and those who have never logged in."""

    reads_joined = True

    def __init__(self) -> None:
        column = User.last_login_at
        super().__init__(
            lambda role, name, shape: or_(column.is_(None), column < bindparam(name, type_=column.type)),
        )

    def bound(self, name: str, value: Any, reading: ReadSession) -> dict[str, Any]:
        return {name: clock.start_of(value)}


def _with_aim_rated(role: Role, light: TrafficLight) -> ColumnElement[bool]:
    rated = (
        select(Aim.learner_id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .where(progress_sql.aim_traffic_light_is(light), Aim.status != AimStatus.WITHDRAWN, scope.sees_aim(role))
    )
    return Learner.id.in_(rated)


def _programmes(role: Role) -> Select[Any]:
    """Selects learners grouped with their aims: those that the viewer sees, withdrawn ones excluded."""
    return (
        select(Aim.learner_id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .where(scope.sees_aim(role), Aim.status != AimStatus.WITHDRAWN)
        .group_by(Aim.learner_id)
    )


def _breaks(role: Role) -> tuple[Subquery, ColumnElement[int]]:
    """The days on which every aim of a programme is on a break, to be joined, and their number."""
    breaks = days_of_programmes(select(Aim.id).where(scope.sees_aim(role), Aim.status != AimStatus.WITHDRAWN))
    return breaks, func.coalesce(func.max(breaks.c.days), 0)


_START, _END = func.min(Aim.start_date), func.max(Aim.planned_end_date)


def _rated(role: Role, light: TrafficLight) -> ColumnElement[bool]:
    """Learners whose programme has the traffic light, by the rule of `loaders.progress.programme_of`."""
    breaks, on_break = _breaks(role)
    programmes = _programmes(role).outerjoin(breaks, breaks.c.learner_id == Aim.learner_id)
    total, mapped = progress_sql.total(AimProgress.criteria_total), progress_sql.total(AimProgress.criteria_mapped)
    rated = progress_sql.traffic_light_is(
        light,
        in_training=func.max(case((Aim.status == AimStatus.IN_TRAINING, 1), else_=0)) == 1,
        total=total,
        mapped=progress_sql.mapped_tenths(mapped, total, func.max(AimProgress.units_to_choose)),
        duration=progress_sql.programme_tenths(_START, _END, on_break),
    )
    condition: ColumnElement[bool] = Learner.id.in_(programmes.having(rated))
    if light is TrafficLight.NOT_RATED:
        # Learners without any such aim are not rated either.
        condition = or_(condition, Learner.id.not_in(_programmes(role)))
    return condition


def _past_planned_end(role: Role, past: bool) -> ColumnElement[bool]:
    unfinished = func.max(case((Aim.status.not_in(NEVER_LATE), 1), else_=0)) == 1
    late = Learner.id.in_(_programmes(role).having(and_(progress_sql.TODAY > _END, unfinished)))
    return late if past else ~late


def _rules(reading: ReadSession) -> dict[str, Any]:
    rules = reading.viewer.rules
    return progress_sql.parameters(reading.today, rules.traffic_light_tolerance, rules.rated_from_percent)


def _planned_end(role: Role) -> Order:
    """By the latest planned end of the aims, withdrawn ones excluded; learners without such an aim come last."""
    latest = select(func.max(Aim.planned_end_date)).where(
        Aim.learner_id == Learner.id, Aim.status != AimStatus.WITHDRAWN, scope.sees_aim(role)
    )
    value = func.coalesce(latest.scalar_subquery(), bindparam("no_end", _NO_END, Date), type_=Date)
    return Order("planned_end", value, Learner.id, None)


def _points_ahead(role: Role) -> Order:
    """By the points that the programme is ahead, those furthest behind first.

    Learners without an aim in training, or without criteria, come last.
    """
    total, mapped = progress_sql.total(AimProgress.criteria_total), progress_sql.total(AimProgress.criteria_mapped)
    breaks, on_break = _breaks(role)
    reached = progress_sql.mapped_tenths(mapped, total, func.max(AimProgress.units_to_choose))
    points = reached - progress_sql.programme_tenths(_START, _END, on_break)
    in_training = func.max(case((Aim.status == AimStatus.IN_TRAINING, 1), else_=0)) == 1
    measured = (
        select(points)
        .select_from(Aim)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .outerjoin(breaks, breaks.c.learner_id == Aim.learner_id)
        .where(Aim.learner_id == Learner.id, scope.sees_aim(role), Aim.status != AimStatus.WITHDRAWN)
        .group_by(Aim.learner_id)
        .having(and_(in_training, total > 0))
    )
    value = func.coalesce(measured.scalar_subquery(), bindparam("not_measured", _NOT_MEASURED, Integer), type_=Integer)
    return Order("points_ahead", value, Learner.id, None, bound=_rules)


def _last_login(name: str, descending: bool) -> Order:
    """By the last login; those who have never logged in count as the earliest."""
    value = func.coalesce(User.last_login_at, bindparam("never", _NEVER, User.last_login_at.type))
    return Order(name, value, Learner.id, "last_login_at", lambda at: at or _NEVER, descending)


_NAME = Order("name", User.sort_name, Learner.id, "name", fold_name)

LEARNERS = PagedList(
    LearnerRow,
    _NAME,
    owners={"employer": Learner.employer_id},
    filters={
        "search": search(User.sort_name, reads_joined=True),
        "employer_id": refers_to("Employer", lambda employer, role: Learner.employer_id == employer),
        "traffic_light": by_value(TrafficLight, _rated, _rules),
        "past_planned_end": by_value(bool, _past_planned_end, _rules),
        "review_overdue": by_value(bool, review_overdue, review_parameters),
        "aim_traffic_light": by_value(TrafficLight, _with_aim_rated, _rules),
        "not_signed_in_since": _NotSignedInSince(),
        "updated_since": changed_since(Learner.updated_at),
        **related(
            _with_aim,
            assessor_id=refers_to("User", lambda assessor, role: Aim.assessor_id == assessor),
            status=one_of(Aim.status),
            qualification_id=refers_to(
                "Qualification", lambda qualification, role: Aim.qualification_id == qualification
            ),
            started_from=at_least(Aim.start_date),
            started_to=at_most(Aim.start_date),
            planned_end_from=at_least(Aim.planned_end_date),
            planned_end_to=at_most(Aim.planned_end_date),
        ),
    },
    orders={
        LearnerOrder.NAME_ASC: _NAME,
        LearnerOrder.NAME_DESC: Order("name_desc", User.sort_name, Learner.id, "name", fold_name, descending=True),
        LearnerOrder.LAST_LOGIN_DESC: _last_login("last_login", descending=True),
        LearnerOrder.LAST_LOGIN_ASC: _last_login("last_login_asc", descending=False),
        LearnerOrder.PLANNED_END_ASC: _planned_end,
        LearnerOrder.POINTS_AHEAD_ASC: _points_ahead,
        LearnerOrder.REVIEW_DUE_ASC: review_due_order,
    },
)

# Those allocated to an Employer Manager.
LEARNERS_OF_MANAGER = PagedList(
    LearnerRow,
    _NAME,
    owners={"manager": ManagerAllocation.user_id},
    condition=lambda role: and_(ManagerAllocation.learner_id == Learner.id, scope.of_provider(ManagerAllocation)),
)
