"""Off-the-job minutes: required, expected, planned, logged, and those of them that count."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.time_log_entry import TimeLogEntry
from db.sql.any_of import any_of
from domain import progress
from domain.enums import Role
from loaders import aggregates
from loaders.aggregates import GroupBy, Metric, MetricValues, aggregate
from loaders.core.base import OneLoader
from loaders.kpi_slice import Slice

# The largest Int of GraphQL. The minutes of a very large provider are more.
MAX_INT = 2**31 - 1
# Whose minutes they are: the kind of owner, or the slice whose group it is, and the key.
Owner = tuple[GroupBy | Slice, int | None]
_METRICS = frozenset({Metric.REQUIRED_TIME, Metric.ACTUAL_TIME})
_NAMES = ("required", "expected", "planned", "planned_aims", "prior_learning", "logged", "actual", "approved")


@dataclass(slots=True)
class OffTheJobRow:
    """Off-the-job minutes of an aim, of a learner, or of all whom a viewer or an employer has.

    `owner` says whose they are, for what is read only if it is selected: (VIEWER, None) for KPIs.
    """

    required_minutes: int
    expected_minutes: int
    actual_minutes: int
    logged_minutes: int
    approved_minutes: int
    planned_minutes: int | None
    prior_learning_minutes: int
    owner: Owner

    @classmethod
    def from_metrics(cls, values: MetricValues, owner: Owner) -> "OffTheJobRow":
        """Builds the row from the values of `Metric.REQUIRED_TIME` and `Metric.ACTUAL_TIME`, each at most `MAX_INT`."""
        values = {name: min(value, MAX_INT) for name, value in values.items()}
        return cls(
            values["required"],
            values["expected"],
            values["actual"],
            values["logged"],
            values["approved"],
            values["planned"] if values["planned_aims"] else None,
            values["prior_learning"],
            owner,
        )

    @property
    def actual_percent(self) -> float:
        """Returns the actual minutes in percent of the required ones, 0 to 100; 0 if none are required."""
        return progress.percent(self.actual_minutes, self.required_minutes)


class OffTheJobLoader(OneLoader[int, OffTheJobRow]):
    """Loads the off-the-job minutes of a learner, over the aims and entries that the viewer sees."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, OffTheJobRow]:
        found = await aggregate(self.reading, GroupBy.LEARNER, _METRICS, keys)
        return {key: OffTheJobRow.from_metrics(found[key], (GroupBy.LEARNER, key)) for key in keys}


@cached_statement
def _of_aims(role: Role) -> Select[Any]:
    required = aggregates.required_time(role).statement
    logged = aggregates.actual_time(role).statement
    needs = required.add_columns(Aim.id.label("aim_key")).where(any_of(Aim.id)).group_by(Aim.id).subquery()
    has = (
        logged.add_columns(TimeLogEntry.aim_id.label("aim_key"))
        .where(any_of(TimeLogEntry.aim_id))
        .group_by(TimeLogEntry.aim_id)
        .subquery()
    )
    columns = [column for subquery in (needs, has) for column in subquery.c if column.name != "aim_key"]
    return (
        select(Aim.id.label("aim_key"), *columns)
        .select_from(Aim)
        .outerjoin(needs, needs.c.aim_key == Aim.id)
        .outerjoin(has, has.c.aim_key == Aim.id)
        .where(any_of(Aim.id), scope.sees_aim(role))
    )


class OffTheJobOfAimLoader(OneLoader[int, OffTheJobRow]):
    """Loads the off-the-job minutes of an aim; a withdrawn one requires none."""

    keys_of = "aim"

    async def fetch(self, keys: list[int]) -> dict[int, OffTheJobRow]:
        today = {"today": self.reading.today}
        found = {}
        for row in await self.reading.rows(_of_aims(self.reading.viewer.role), keys=keys, **today):
            values = {name: int(getattr(row, name) or 0) for name in _NAMES}
            found[row.aim_key] = OffTheJobRow.from_metrics(values, (GroupBy.AIM, row.aim_key))
        return found
