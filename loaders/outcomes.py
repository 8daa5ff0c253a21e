"""Outcomes of the aims that ended in a period: how many were completed, achieved, and achieved in time."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Date, Select, and_, bindparam, func, select
from sqlalchemy.orm import aliased

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.sql.progress import count_if
from domain import progress
from domain.enums import AimOutcome, AimStatus, Role
from domain.progress import ENDED
from loaders.core.read_session import ReadSession
from loaders.kpi_slice import NOW, Shapes, shapes_of


@dataclass(slots=True)
class OutcomesRow:
    """The aims that ended in a period. Percentages are 0 where none ended."""

    leaver_count: int
    completed_count: int
    achieved_count: int
    timely_count: int

    @property
    def retention_percent(self) -> float:
        """Returns the completed aims in percent of those that ended."""
        return progress.percent(self.completed_count, self.leaver_count)

    @property
    def achievement_percent(self) -> float:
        """Returns the achieved aims in percent of those that ended."""
        return progress.percent(self.achieved_count, self.leaver_count)

    @property
    def timely_percent(self) -> float:
        """Returns the aims that were achieved by their planned end in percent of those that ended."""
        return progress.percent(self.timely_count, self.leaver_count)


@cached_statement
def _statement(role: Role, shapes: Shapes) -> Select:
    later, kind = aliased(Aim), aliased(Qualification)
    # unscoped: a condition in addition to the scope of the statement below
    transferred = (
        select(later.id)
        .join(kind, kind.id == later.qualification_id)
        .where(
            later.learner_id == Aim.learner_id,
            later.status != AimStatus.WITHDRAWN,
            later.start_date >= Aim.actual_end_date,
            later.id != Aim.id,
            func.coalesce(kind.kind, "") == func.coalesce(Qualification.kind, ""),
        )
        .correlate(Aim, Qualification)
    )
    completed = Aim.status == AimStatus.COMPLETED
    achieved = and_(completed, Aim.outcome == AimOutcome.ACHIEVED)
    return (
        select(
            func.count().label("leavers"),
            count_if(completed).label("completed"),
            count_if(achieved).label("achieved"),
            count_if(and_(achieved, Aim.actual_end_date <= Aim.planned_end_date)).label("timely"),
        )
        .select_from(Aim)
        .join(Learner, Learner.id == Aim.learner_id)
        .join(Qualification, Qualification.id == Aim.qualification_id)
        .where(
            scope.sees_aim(role),
            Aim.status.in_(ENDED),
            Aim.actual_end_date.between(bindparam("ended_from", type_=Date), bindparam("ended_to", type_=Date)),
            ~and_(Aim.status == AimStatus.WITHDRAWN, transferred.exists()),
            *NOW.conditions(role, shapes),
        )
    )


async def outcomes(
    reading: ReadSession, ended_from: dt.date, ended_to: dt.date, filter: Mapping[str, Any]
) -> OutcomesRow:
    """Returns the outcomes of the aims that the viewer sees and that ended between two days, both included."""
    shapes, values = shapes_of(filter, reading)
    statement = _statement(reading.viewer.role, shapes)
    (row,) = await reading.rows(statement, ended_from=ended_from, ended_to=ended_to, **dict(values))
    return OutcomesRow(row.leavers, int(row.completed), int(row.achieved), int(row.timely))
