"""Learners: by key, in pages with their filters and orders, and what a dashboard shows beside each name."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, func, or_, select, true
from sqlalchemy.types import Date

from auth import scope
from db.models.aim import Aim, AimProgress
from db.models.base import Key, fold_name
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import User
from db.sql import progress as progress_sql
from db.sql.any_of import any_of
from domain.enums import AimStatus, LearnerOrder, Role, TrafficLight
from domain.global_id import Identifier
from domain.progress import ENDED
from loaders.core.pagination import Order, Page, PageRequest, page_of, search_in, search_pattern
from loaders.core.read_session import OneLoader, ReadSession, cached_statement
from loaders.employer import EmployerRow

_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_END = dt.date(9999, 12, 31)


@dataclass(slots=True)
class LearnerRow:
    """One learner with the name of the employer."""

    key: int
    user_key: int
    name: str
    last_login_at: dt.datetime | None
    uln: str | None
    photo_key: int | None
    employer_key: int | None
    employer_name: str | None
    employer_parent_key: int | None
    planned_end: dt.date | None = None

    id = Identifier("Learner", "key")

    @property
    def employer(self) -> EmployerRow | None:
        """Where they work, as it came with the learner."""
        if self.employer_key is None:
            return None
        return EmployerRow(self.employer_key, self.employer_name or "", self.employer_parent_key)


def _columns(role: Role) -> list[Any]:
    uln = Learner.uln if scope.sees_uln(role) else case((~true(), Learner.uln)).label("uln")
    return [
        Learner.id,
        Learner.user_id,
        User.name,
        User.last_login_at,
        uln,
        Learner.photo_file_id,
        Learner.employer_id,
        Employer.name.label("employer_name"),
        Employer.parent_id,
    ]


def _learners(role: Role, *more: Any) -> Select:
    return (
        select(*_columns(role), *more)
        .join(User, User.id == Learner.user_id)
        .outerjoin(Employer, Employer.id == Learner.employer_id)
        .where(scope.sees_learner(role, Learner.id), scope.of_provider(Learner))
    )


@cached_statement
def _by_key(role: Role) -> Select:
    return _learners(role).where(any_of(Learner.id))


@cached_statement
def _by_user(role: Role) -> Select:
    return _learners(role).where(any_of(Learner.user_id))


class LearnerLoader(OneLoader[int, LearnerRow]):
    """Learners by key."""

    async def fetch(self, keys: list[int]) -> dict[int, LearnerRow]:
        rows = await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)
        return {row.id: LearnerRow(*row) for row in rows}


@dataclass(frozen=True, slots=True)
class LearnerFilter:
    """The filters of a list of learners, as keys and values; None where not asked for."""

    search: str | None = None
    employer_key: int | None = None
    assessor_key: int | None = None
    traffic_light: TrafficLight | None = None
    past_planned_end: bool | None = None
    aim_traffic_light: TrafficLight | None = None

    @property
    def sql_shape(self) -> "LearnerFilter":
        """What changes the SQL: which filters are set, the lights and the flag by value."""
        return LearnerFilter(
            "" if self.search is not None else None,
            0 if self.employer_key is not None else None,
            0 if self.assessor_key is not None else None,
            self.traffic_light,
            self.past_planned_end,
            self.aim_traffic_light,
        )

    def parameters(self, reading: ReadSession) -> dict[str, Any]:
        """What a filtered statement binds. Raises BadArgument for a search that cannot be."""
        bound: dict[str, Any] = {}
        if self.search is not None:
            bound["search"] = search_pattern(self.search)
        if self.employer_key is not None:
            bound["employer_key"] = self.employer_key
        if self.assessor_key is not None:
            bound["assessor_key"] = self.assessor_key
        if (self.traffic_light, self.past_planned_end, self.aim_traffic_light) != (None, None, None):
            rules = reading.viewer.rules
            bound |= progress_sql.parameters(reading.today, rules.traffic_light_tolerance, rules.rated_from_percent)
        return bound


def _planned_end(role: Role) -> Any:
    """The latest planned end of the aims that the viewer sees and that count, for the order by it."""
    latest = select(func.max(Aim.planned_end_date)).where(
        Aim.learner_id == Learner.id, Aim.status != AimStatus.WITHDRAWN, scope.sees_aim(role)
    )
    return func.coalesce(latest.scalar_subquery(), bindparam("no_end", _NO_END, Date), type_=Date)


def order_of(which: LearnerOrder, role: Role) -> Order:
    """How a list of learners is sorted."""
    match which:
        case LearnerOrder.LAST_LOGIN_DESC:
            value = func.coalesce(User.last_login_at, bindparam("never", _NEVER, User.last_login_at.type))
            return Order("last_login", value, Learner.id, lambda row: row.last_login_at or _NEVER, descending=True)
        case LearnerOrder.PLANNED_END_ASC:
            return Order("planned_end", _planned_end(role), Learner.id, lambda row: row.planned_end)
        case LearnerOrder.NAME_DESC:
            return Order("name_desc", User.sort_name, Learner.id, lambda row: fold_name(row.name), descending=True)
    return Order("name", User.sort_name, Learner.id, lambda row: fold_name(row.name))


def _counted(role: Role, named: bool) -> Select:
    """How many learners a role sees; their names are joined only where a filter reads them."""
    seen = scope.sees_learner(role, Learner.id), scope.of_provider(Learner)
    counted = select(func.count()).select_from(Learner).where(*seen)
    return counted.join(User, User.id == Learner.user_id) if named else counted


def filtered(role: Role, asked: LearnerFilter, columns: bool, *more: Any) -> Select:
    """The learners that a role sees and the filters let through: their columns and `more`, or how many they are."""
    statement = _learners(role, *more) if columns else _counted(role, named=asked.search is not None)
    if asked.search is not None:
        statement = statement.where(search_in(User.sort_name))
    if asked.employer_key is not None:
        statement = statement.where(Learner.employer_id == bindparam("employer_key", type_=Key))
    if asked.assessor_key is not None:
        theirs = select(Aim.learner_id).where(
            Aim.assessor_id == bindparam("assessor_key", type_=Key), scope.sees_aim(role)
        )
        statement = statement.where(Learner.id.in_(theirs))
    if asked.traffic_light is not None or asked.past_planned_end is not None:
        statement = statement.where(_as_rated(role, asked))
    if asked.aim_traffic_light is not None:
        rated = (
            select(Aim.learner_id)
            .join(AimProgress, AimProgress.aim_id == Aim.id)
            .where(
                progress_sql.aim_light_is(asked.aim_traffic_light),
                Aim.status != AimStatus.WITHDRAWN,
                scope.sees_aim(role),
            )
        )
        statement = statement.where(Learner.id.in_(rated))
    return statement


def _as_rated(role: Role, asked: LearnerFilter) -> Any:
    """Learners whose aims taken together have the light, or are past their planned end; as `programme_of` counts."""
    total, mapped = progress_sql.total(AimProgress.criteria_total), progress_sql.total(AimProgress.criteria_mapped)
    start, end = func.min(Aim.start_date), func.max(Aim.planned_end_date)
    training = func.max(case((Aim.status == AimStatus.IN_TRAINING, 1), else_=0)) == 1
    finished = func.min(case((Aim.status.in_(ENDED), 1), else_=0)) == 1
    counted = (
        select(Aim.learner_id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .where(scope.sees_aim(role), Aim.status != AimStatus.WITHDRAWN)
        .group_by(Aim.learner_id)
    )
    conditions = []
    if asked.traffic_light is not None:
        rated_so = progress_sql.light_is(
            asked.traffic_light,
            in_training=training,
            total=total,
            mapped=progress_sql.tenths(mapped, total),
            duration=progress_sql.duration_tenths(start, end),
        )
        condition = Learner.id.in_(counted.having(rated_so))
        if asked.traffic_light is TrafficLight.NOT_RATED:
            # Nothing that counts, nothing to rate.
            condition = or_(condition, Learner.id.not_in(counted))
        conditions.append(condition)
    if asked.past_planned_end is not None:
        late = Learner.id.in_(counted.having(and_(end < progress_sql.TODAY, ~finished)))
        conditions.append(late if asked.past_planned_end else ~late)
    return and_(*conditions)


@cached_statement
def _page(role: Role, asked: LearnerFilter, which: LearnerOrder, after: bool, counted: bool) -> Select:
    order = order_of(which, role)
    more = [order.value.label("planned_end")] if which is LearnerOrder.PLANNED_END_ASC else []
    if counted:
        more.append(filtered(role, asked, columns=False).scalar_subquery().label("count"))
    return page_of(filtered(role, asked, True, *more), order, after)


@cached_statement
def _count(role: Role, asked: LearnerFilter) -> Select:
    return filtered(role, asked, columns=False)


async def read_page(
    reading: ReadSession, asked: LearnerFilter, which: LearnerOrder, first: int, after: str | None, counted: bool
) -> Page[LearnerRow]:
    """One page of the learners that the viewer sees. `counted`: how many there are is read in the same statement."""
    order = order_of(which, reading.viewer.role)
    page = PageRequest.read(first, after, order)
    sql_shape, role = asked.sql_shape, reading.viewer.role
    parameters = asked.parameters(reading)
    statement = _page(role, sql_shape, which, page.after is not None, counted)
    found = await reading.rows(statement, **parameters, **page.parameters)
    known = found[0]._mapping["count"] if counted and found else None

    async def count() -> int:
        if known is not None:
            return known
        return (await reading.rows(_count(role, sql_shape), **parameters))[0][0]

    return Page.of([learner_row(row, which) for row in found], page, order, count)


def learner_row(row: Row, which: LearnerOrder) -> LearnerRow:
    """From a row of a page in that order."""
    learner = LearnerRow(*row[:9])
    if which is LearnerOrder.PLANNED_END_ASC:
        learner.planned_end = row.planned_end
    return learner
