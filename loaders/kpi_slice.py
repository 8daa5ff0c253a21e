"""Slices of what the viewer sees: the aims that meet a filter, by employer, assessor, qualification or start month."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, BigInteger, ColumnElement, Integer, and_, case, cast, extract, func, literal, select

from auth import scope
from db.models.aim import Aim
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.models.user import User
from domain.enums import KpiGroupBy, Role
from loaders.core.filters import Filter, at_least, at_most, one_of, refers_to
from loaders.core.read_session import ReadSession

# (name of the filter, shape of its value): what a statement is built for.
Shapes = tuple[tuple[str, Hashable], ...]


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The columns by which aims are filtered and grouped: of now, or of a day of the past."""

    employer_id: Any
    assessor_id: Any
    qualification_id: Any
    status: Any
    start_date: Any

    def filters(self) -> dict[str, Filter]:
        """Returns the filters of `KpiFilter` by name."""
        return {
            "employer_id": refers_to("Employer", lambda key, role: self.employer_id == key),
            "assessor_id": refers_to("User", lambda key, role: self.assessor_id == key),
            "qualification_id": refers_to("Qualification", lambda key, role: self.qualification_id == key),
            "statuses": one_of(self.status),
            "started_from": at_least(self.start_date),
            "started_to": at_most(self.start_date),
        }

    def conditions(self, role: Role, shapes: Shapes) -> list[ColumnElement[bool]]:
        """Returns the conditions of the filters that are given."""
        filters = self.filters()
        return [filters[name].build(role, name, shape) for name, shape in shapes]

    def group_key(self, role: Role, by: KpiGroupBy) -> ColumnElement[int]:
        """The key of the group that an aim belongs to, 0 for none; a month is 100 x year + month."""
        if by is KpiGroupBy.START_MONTH:
            month = 100 * extract("year", self.start_date) + extract("month", self.start_date)
            return func.coalesce(cast(month, Integer), 0)
        columns = {
            KpiGroupBy.EMPLOYER: self.employer_id,
            KpiGroupBy.ASSESSOR: self.assessor_id,
            KpiGroupBy.QUALIFICATION: self.qualification_id,
        }
        return visible_key(role, by, columns[by])


def visible_key(role: Role, by: KpiGroupBy, key: Any) -> ColumnElement[int]:
    """The key of the subject of a group, 0 for none, and for one that the viewer cannot read.

    A row may name a subject that is not visible: of the past, one that the learner has left or that was deleted.
    """
    match by:
        case KpiGroupBy.EMPLOYER:
            seen = select(Employer.id).where(scope.sees_employer(role))
        case KpiGroupBy.QUALIFICATION:
            seen = select(Qualification.id).where(scope.sees(role, Qualification))
        case _:
            # unscoped: people whom a visible aim names, as `NamedUserLoader` reads them
            seen = select(User.id).where(scope.of_provider(User))
    return case((key.in_(seen), key), else_=0)


NOW = Dimensions(Learner.employer_id, Aim.assessor_id, Aim.qualification_id, Aim.status, Aim.start_date)


@dataclass(frozen=True, slots=True)
class Slice:
    """The aims that meet a filter, in groups: `shapes` decide the SQL, `values` are its parameters."""

    by: KpiGroupBy
    shapes: Shapes
    values: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, by: KpiGroupBy, filter: Mapping[str, Any], reading: ReadSession) -> "Slice":
        """Returns the slice for the values of a `KpiFilter`; None does not filter."""
        return cls(by, *shapes_of(filter, reading))


def shapes_of(filter: Mapping[str, Any], reading: ReadSession) -> tuple[Shapes, tuple[tuple[str, Any], ...]]:
    """Returns the shapes of the filters that are given, and their parameters."""
    filters = NOW.filters()
    given = sorted((name, value) for name, value in filter.items() if value is not None)
    shapes = tuple((name, filters[name].shape(value)) for name, value in given)
    return shapes, tuple(pair for name, value in given for pair in filters[name].bound(name, value, reading).items())


def slice_of(role: Role, by: KpiGroupBy, shapes: Shapes) -> tuple[CTE, CTE]:
    """Returns (aims, members) of the viewer's slice, as they are now.

    `aims` has a row (group_key, learner_id, aim_id, status) for each aim, and one without aim for each learner without
    any. `members` is what records are joined with: a row (group_key, learner_id, aim_id) for each aim, and one with
    `aim_id` 0 for each learner of a group.
    """
    conditions = [scope.sees_learner(role, Learner.id), scope.of_provider(Learner), *NOW.conditions(role, shapes)]
    of_learner = and_(Aim.learner_id == Learner.id, scope.sees_aim(role))
    aims = (
        select(
            NOW.group_key(role, by).label("group_key"),
            Learner.id.label("learner_id"),
            Aim.id.label("aim_id"),
            Aim.status.label("status"),
        )
        .select_from(Learner)
        .outerjoin(Aim, of_learner)
        .where(*conditions)
        .cte("aims")
    )
    # unscoped: of the scoped aims above
    learners = select(aims.c.group_key, aims.c.learner_id, literal(0, BigInteger).label("aim_id")).distinct()
    members = (
        select(aims.c.group_key, aims.c.learner_id, aims.c.aim_id)
        .where(aims.c.aim_id.is_not(None))
        .union_all(learners)
        .cte("members")
    )
    return aims, members
