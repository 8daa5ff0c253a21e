"""Learners: by key, and in pages with their filters and orders."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, or_, select, true
from sqlalchemy.types import Date

from auth import scope
from db.models.aim import Aim, AimProgress
from db.models.base import fold_name
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import User
from db.sql import progress as progress_sql
from domain.enums import AimStatus, LearnerOrder, Role, TrafficLight
from domain.global_id import Identifier
from domain.progress import ENDED
from loaders.core.base import EntityLoader
from loaders.core.filters import by_value, refers_to, search
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, optional, row
from loaders.employer import EmployerRow

_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_END = dt.date(9999, 12, 31)


def _uln(role: Role) -> Any:
    return Learner.uln if scope.sees_uln(role) else case((~true(), Learner.uln))


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
    employer: EmployerRow | None = optional(EmployerRow, key=Learner.employer_id)

    id = Identifier("Learner", "key")


class LearnerLoader(EntityLoader[LearnerRow]):
    """Loads learners by key."""

    row = LearnerRow


def _of_assessor(assessor: ColumnElement[int], role: Role) -> ColumnElement[bool]:
    return Learner.id.in_(select(Aim.learner_id).where(Aim.assessor_id == assessor, scope.sees_aim(role)))


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


_START, _END = func.min(Aim.start_date), func.max(Aim.planned_end_date)


def _rated(role: Role, light: TrafficLight) -> ColumnElement[bool]:
    """Learners whose programme has the traffic light, by the rule of `loaders.progress.programme_of`."""
    total, mapped = progress_sql.total(AimProgress.criteria_total), progress_sql.total(AimProgress.criteria_mapped)
    rated = progress_sql.traffic_light_is(
        light,
        in_training=func.max(case((Aim.status == AimStatus.IN_TRAINING, 1), else_=0)) == 1,
        total=total,
        mapped=progress_sql.tenths(mapped, total),
        duration=progress_sql.duration_tenths(_START, _END),
    )
    condition: ColumnElement[bool] = Learner.id.in_(_programmes(role).having(rated))
    if light is TrafficLight.NOT_RATED:
        # Learners without any such aim are not rated either.
        condition = or_(condition, Learner.id.not_in(_programmes(role)))
    return condition


def _past_planned_end(role: Role, past: bool) -> ColumnElement[bool]:
    finished = func.min(case((Aim.status.in_(ENDED), 1), else_=0)) == 1
    late = Learner.id.in_(_programmes(role).having(and_(progress_sql.TODAY > _END, ~finished)))
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


_NAME = Order("name", User.sort_name, Learner.id, lambda learner: fold_name(learner.name))

LEARNERS = PagedList(
    LearnerRow,
    _NAME,
    owners={"employer": Learner.employer_id},
    filters={
        "search": search(User.sort_name, reads_joined=True),
        "employer_id": refers_to("Employer", lambda employer, role: Learner.employer_id == employer),
        "assessor_id": refers_to("User", _of_assessor),
        "traffic_light": by_value(TrafficLight, _rated, _rules),
        "past_planned_end": by_value(bool, _past_planned_end, _rules),
        "aim_traffic_light": by_value(TrafficLight, _with_aim_rated, _rules),
    },
    orders={
        LearnerOrder.NAME_ASC: _NAME,
        LearnerOrder.NAME_DESC: Order(
            "name_desc", User.sort_name, Learner.id, lambda learner: fold_name(learner.name), descending=True
        ),
        LearnerOrder.LAST_LOGIN_DESC: Order(
            "last_login",
            func.coalesce(User.last_login_at, bindparam("never", _NEVER, User.last_login_at.type)),
            Learner.id,
            lambda learner: learner.last_login_at or _NEVER,
            descending=True,
        ),
        LearnerOrder.PLANNED_END_ASC: _planned_end,
    },
)
