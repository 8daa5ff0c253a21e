"""Key performance indicators of each group of aims that the viewer sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select, and_, case, func, select
from sqlalchemy.orm import aliased

from db.cached_statement import cached_statement
from db.models.session import Session, SessionAim
from db.sql.progress import count_if
from domain.enums import AimStatus, KpiGroupBy, Role
from domain.progress import ENDED
from loaders.aggregates import SELECTS, Metric, rule_parameters
from loaders.core.read_session import ReadSession
from loaders.kpi_slice import Shapes, Slice, slice_of
from loaders.kpis import KpisRow, Metrics


@dataclass(slots=True)
class KpiGroupRow:
    """A group and its numbers. `group_key` is the key of its subject, 100 x year + month, or 0 for none."""

    by: KpiGroupBy
    group_key: int
    kpis: KpisRow


@cached_statement
def _statement(role: Role, by: KpiGroupBy, metrics: Metrics, shapes: Shapes) -> Select:
    aims, members = slice_of(role, by, shapes)
    # As `loaders.aggregates` counts learners: those without any aim are in learning.
    # unscoped: the aims of the slice are scoped
    of_learner = (
        select(
            aims.c.group_key,
            func.max(case((aims.c.status.is_(None), 1), (aims.c.status.not_in(ENDED), 1), else_=0)).label("open"),
            func.max(case((aims.c.status == AimStatus.COMPLETED, 1), else_=0)).label("completed"),
        )
        .group_by(aims.c.group_key, aims.c.learner_id)
        .subquery()
    )
    # unscoped: the aims of the slice are scoped
    learners = (
        select(
            of_learner.c.group_key,
            count_if(of_learner.c.open == 1).label("learners"),
            count_if(and_(of_learner.c.open == 0, of_learner.c.completed == 1)).label("ended_learners"),
        )
        .group_by(of_learner.c.group_key)
        .subquery()
    )
    columns = [column for column in learners.c if column.name != "group_key"]
    joined: FromClause = learners
    for metric in Metric:
        if metric is Metric.LEARNERS or metric not in metrics:
            continue
        of_metric = SELECTS[metric](role)
        statement, aim_id = of_metric.statement, of_metric.aim_id
        if metric is Metric.SESSIONS:
            # An alias, which the conditions of the metric do not take for theirs.
            about = aliased(SessionAim)
            statement = statement.outerjoin(about, about.session_id == Session.id)
            aim_id = func.coalesce(about.aim_id, 0)
        of_member = and_(members.c.learner_id == of_metric.learner_id, members.c.aim_id == aim_id)
        # unscoped: the metric is scoped
        grouped = of_metric.by(members.c.group_key, statement.join(members, of_member)).subquery(metric.value)
        columns += [column for column in grouped.c if column.name != "group_key"]
        joined = joined.outerjoin(grouped, grouped.c.group_key == learners.c.group_key)
    # unscoped: each of the subqueries is scoped
    return select(learners.c.group_key, *columns).select_from(joined)


async def kpi_groups(
    reading: ReadSession, by: KpiGroupBy, metrics: Metrics, filter: Mapping[str, Any]
) -> list[KpiGroupRow]:
    """Returns the groups in which anything is counted, by their keys, in one statement."""
    # A group is left out where these two count nothing, whatever else is selected.
    metrics |= {Metric.LEARNERS, Metric.AIMS}
    wanted = Slice.of(by, filter, reading)
    statement = _statement(reading.viewer.role, by, metrics, wanted.shapes)
    names = [column.name for column in (await statement).selected_columns if column.name != "group_key"]
    found = []
    for row in await reading.rows(statement, **rule_parameters(reading), **dict(wanted.values)):
        values = {name: int(getattr(row, name) or 0) for name in names}
        if any(values.values()):
            found.append(KpiGroupRow(by, row.group_key, KpisRow(reading.now, values, (wanted, row.group_key))))
    return sorted(found, key=lambda group: group.group_key)
