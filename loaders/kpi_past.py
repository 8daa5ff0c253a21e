"""Key performance indicators of each group at the end of a past day."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, case, func, literal, or_, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.aim_history import AimHistory
from db.sql import progress as progress_sql
from db.sql.progress import count_if, total
from domain.day_number import day_number
from domain.enums import AimStatus, KpiGroupBy, Role
from domain.progress import ENDED
from loaders.aggregates import Metric
from loaders.core.read_session import ReadSession
from loaders.kpi_groups import KpiGroupRow
from loaders.kpi_ranges import PAST, counts_without_aim, learners_without_aim, until
from loaders.kpi_slice import Shapes, Slice, visible_key
from loaders.kpis import KpisRow, Metrics

# What history has.
KEPT: Metrics = frozenset({Metric.LEARNERS, Metric.AIMS})
_DAY = bindparam("day", type_=Integer)


@cached_statement
def _statement(role: Role, by: KpiGroupBy, shapes: Shapes) -> Select[Any]:
    row = AimHistory
    light = case(
        (or_(row.rated_from.is_(None), row.rated_from > _DAY), "not_rated"),
        (row.off_track_from <= _DAY, "off_track"),
        (row.on_track_from <= _DAY, "on_track"),
        else_="ahead",
    )
    on_break = progress_sql.days_on_break(row, row)
    rows = (
        select(
            PAST.group_key(role, by).label("group_key"),
            row.learner_id,
            row.status,
            light.label("light"),
            case((row.late_from <= _DAY, 1), else_=0).label("late"),
            row.criteria_total,
            row.criteria_mapped,
            row.criteria_signed_off,
            row.units_to_choose,
            on_break.label("days_on_break"),
            progress_sql.programme_tenths(row.start_date, row.planned_end_date, on_break).label("duration_tenths"),
        )
        .select_from(row)
        .join(Aim, Aim.id == row.aim_id)
        .where(
            scope.sees_aim(role),
            scope.of_provider(row),
            row.day <= _DAY,
            until() > _DAY,
            *PAST.conditions(role, shapes),
        )
        .cte("rows")
    )
    # unscoped: of the scoped rows above
    of_learner = select(
        rows.c.group_key,
        func.max(case((rows.c.status.not_in(ENDED), 1), else_=0)).label("open"),
        func.max(case((rows.c.status == AimStatus.COMPLETED, 1), else_=0)).label("completed"),
    ).group_by(rows.c.group_key, rows.c.learner_id)
    if counts_without_aim(shapes):
        others = learners_without_aim(role, shapes)
        group_key = visible_key(role, by, others.c.employer_id) if by is KpiGroupBy.EMPLOYER else literal(0)
        # unscoped: of the scoped learners
        waiting = select(group_key, literal(1), literal(0)).where(others.c.enrolled <= _DAY, others.c.first_aim > _DAY)
        statuses = of_learner.union_all(waiting).subquery()
    else:
        statuses = of_learner.subquery()
    # unscoped: of the scoped rows above
    learners = (
        select(
            statuses.c.group_key,
            count_if(statuses.c.open == 1).label("learners"),
            count_if(and_(statuses.c.open == 0, statuses.c.completed == 1)).label("ended_learners"),
        )
        .group_by(statuses.c.group_key)
        .subquery()
    )
    sums = ("criteria_total", "criteria_mapped", "criteria_signed_off", "duration_tenths", "days_on_break")
    # unscoped: of the scoped rows above
    aims = (
        select(
            rows.c.group_key,
            func.count().label("aims"),
            *(count_if(rows.c.light == name).label(name) for name in ("off_track", "ahead", "not_rated")),
            total(rows.c.late).label("past_planned_end"),
            *(total(rows.c[name]).label(name) for name in (*sums, "units_to_choose")),
        )
        .where(rows.c.status != AimStatus.WITHDRAWN)
        .group_by(rows.c.group_key)
        .subquery()
    )
    numbers = [column for subquery in (learners, aims) for column in subquery.c if column.name != "group_key"]
    joined = learners.outerjoin(aims, aims.c.group_key == learners.c.group_key)
    # unscoped: of the scoped rows above
    return select(learners.c.group_key, *numbers).select_from(joined)


async def kpi_groups_on(
    reading: ReadSession, by: KpiGroupBy, day: dt.date, filter: Mapping[str, Any]
) -> list[KpiGroupRow]:
    """Returns the groups in which anything was counted at the end of a day of the past, in one statement."""
    wanted = Slice.of(by, filter, reading)
    statement = _statement(reading.viewer.role, by, wanted.shapes)
    names = [column.name for column in (await statement).selected_columns if column.name != "group_key"]
    found = []
    for row in await reading.rows(statement, day=day_number(day), today=day, **dict(wanted.values)):
        values = {name: int(getattr(row, name) or 0) for name in names}
        if any(values.values()):
            found.append(KpiGroupRow(by, row.group_key, KpisRow(reading.now, values)))
    return sorted(found, key=lambda group: group.group_key)
