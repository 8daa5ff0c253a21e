"""Aggregates over the records of learners: all whom the viewer sees, those of each employer, or each learner.

Each `Metric` is a select with a scope of its own; `aggregate` joins those that are selected to one statement. The rules
behind the numbers are those of `db/sql/progress.py`. No number includes withdrawn aims, or records of one.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
)

from auth import scope
from auth.scope import Column, Condition
from db.cached_statement import cached_statement
from db.models.action import Action
from db.models.aim import Aim, AimProgress
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.session import Session
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.time_log_entry import TimeLogEntry
from db.sql import progress as progress_sql
from db.sql.any_of import any_of
from db.sql.progress import count_if, total
from domain.enums import (
    ActionStatus,
    AimStatus,
    JobSetting,
    Role,
    SessionStatus,
    SignatureRequestStatus,
)
from domain.progress import ENDED
from loaders.aim_metric import INCLUDED, aims
from loaders.core.read_session import ReadSession
from loaders.count_conditions import of_counted_aim, of_counted_aims, overdue
from loaders.evidence import awaits_assessment
from loaders.metric_select import MetricSelect

UPCOMING = dt.timedelta(days=7)
_NOW = bindparam("now", type_=Session.starts_at.type)
_UNTIL = bindparam("until", type_=Session.starts_at.type)
_NO_AIM = literal(0, BigInteger)


class Metric(Enum):
    """A group of numbers that are read together. Each reads its own tables only."""

    LEARNERS = "learners"
    AIMS = "aims"
    REQUIRED_TIME = "required_time"
    ACTUAL_TIME = "actual_time"
    ACTIONS = "actions"
    EVIDENCE = "evidence"
    SESSIONS = "sessions"
    SIGNATURES = "signatures"


class GroupBy(Enum):
    """The records that are aggregated together: all, those of an employer's learners, or those of a learner."""

    VIEWER = "viewer"
    EMPLOYER = "employer"
    LEARNER = "learner"
    # For what is read apart: `aggregate` does not group by aim.
    AIM = "aim"
    # For what was stored with an issued review.
    REVIEW = "review"


# The numbers of the selected metrics, by name.
MetricValues = Mapping[str, int]


def _learners(role: Role) -> MetricSelect:
    """Learners in learning, or without an aim yet; and apart from them those who have ended with a completed aim."""
    in_scope = scope.sees_learner(role, Learner.id), scope.of_provider(Learner)
    aims = (
        select(
            Aim.learner_id,
            func.max(case((Aim.status.not_in(ENDED), 1), else_=0)).label("open"),
            func.max(case((Aim.status == AimStatus.COMPLETED, 1), else_=0)).label("completed"),
        )
        .where(scope.sees_aim(role))
        .group_by(Aim.learner_id)
        .subquery()
    )
    numbers = (
        count_if(func.coalesce(aims.c.open, 1) == 1).label("learners"),
        count_if(and_(aims.c.open == 0, aims.c.completed == 1)).label("ended_learners"),
    )
    of_learner = aims.c.learner_id == Learner.id
    statement = select(*numbers).select_from(Learner).outerjoin(aims, of_learner).where(*in_scope)
    return MetricSelect(statement, Learner.id, _NO_AIM)


def required_time(role: Role) -> MetricSelect:
    """Selects the minutes that aims require, with the columns of its keys."""
    minutes = AimProgress.required_minutes + literal(0, BigInteger)
    numbers = (
        total(minutes).label("required"),
        total(progress_sql.expected_minutes(minutes)).label("expected"),
        total(AimProgress.planned_minutes).label("planned"),
        func.count(AimProgress.planned_minutes).label("planned_aims"),
        total(Aim.prior_learning_minutes).label("prior_learning"),
    )
    aims = (
        select(*numbers).join_from(Aim, AimProgress, AimProgress.aim_id == Aim.id).where(scope.sees_aim(role), INCLUDED)
    )
    return MetricSelect(aims, Aim.learner_id, Aim.id)


def actual_time(role: Role) -> MetricSelect:
    """Selects the minutes of the time log, with the columns of its keys."""
    in_scope = scope.sees_record(role, TimeLogEntry.learner_id, TimeLogEntry.aim_id), scope.of_provider(TimeLogEntry)
    off_the_job = TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB
    counts = TimeLogEntry.exclusion.is_(None)
    numbers = (
        total(TimeLogEntry.minutes).label("logged"),
        total(case((counts, TimeLogEntry.minutes), else_=0)).label("actual"),
        total(case((and_(counts, TimeLogEntry.approved_at.is_not(None)), TimeLogEntry.minutes), else_=0)).label(
            "approved"
        ),
    )
    entries = select(*numbers).where(*in_scope, off_the_job)
    return MetricSelect(entries, TimeLogEntry.learner_id, func.coalesce(TimeLogEntry.aim_id, 0))


def _actions(role: Role) -> MetricSelect:
    in_scope = scope.sees_record(role, Action.learner_id, Action.aim_id), scope.of_provider(Action)
    numbers = func.count().label("outstanding"), count_if(overdue(role)).label("overdue")
    outstanding = and_(Action.status != ActionStatus.COMPLETE, of_counted_aim(Action.aim_id))
    actions = select(*numbers).select_from(Action).where(*in_scope, outstanding)
    return MetricSelect(actions, Action.learner_id, func.coalesce(Action.aim_id, 0))


def _evidence(role: Role) -> MetricSelect:
    in_scope = scope.sees_record(role, Evidence.learner_id, Evidence.aim_id), scope.of_provider(Evidence)
    count = func.count().label("awaiting_assessment")
    evidence = select(count).select_from(Evidence).where(*in_scope, awaits_assessment(role))
    return MetricSelect(evidence, Evidence.learner_id, Evidence.aim_id)


def _sessions(role: Role) -> MetricSelect:
    in_scope = scope.sees_session(role, Session.id, Session.learner_id), scope.of_provider(Session)
    planned = Session.status == SessionStatus.PLANNED, of_counted_aims(Session.id)
    upcoming = (*planned, Session.starts_at >= _NOW, Session.starts_at < _UNTIL)
    # Distinct, because groups join the aims that a session is about.
    count = func.count(Session.id.distinct()).label("upcoming_sessions")
    sessions = select(count).select_from(Session).where(*in_scope, *upcoming)
    return MetricSelect(sessions, Session.learner_id, _NO_AIM)


def _signatures(role: Role) -> MetricSelect:
    in_scope = (
        scope.sees_document(role, SignatureSlot.request_id, SignatureSlot.learner_id),
        scope.of_provider(SignatureSlot),
    )
    open_slot = SignatureSlot.role == role, SignatureSlot.signed_at.is_(None)
    pending = SignatureRequest.status == SignatureRequestStatus.PENDING
    count, of_slot = func.count().label("awaiting_signature"), SignatureRequest.id == SignatureSlot.request_id
    slots = select(count).join_from(SignatureSlot, SignatureRequest, of_slot).where(*in_scope, *open_slot, pending)
    return MetricSelect(slots, SignatureSlot.learner_id, _NO_AIM)


# The select of each metric.
SELECTS: dict[Metric, Callable[[Role], MetricSelect]] = {
    Metric.LEARNERS: _learners,
    Metric.AIMS: aims,
    Metric.REQUIRED_TIME: required_time,
    Metric.ACTUAL_TIME: actual_time,
    Metric.ACTIONS: _actions,
    Metric.EVIDENCE: _evidence,
    Metric.SESSIONS: _sessions,
    Metric.SIGNATURES: _signatures,
}


def learner_of(learner_id: Column) -> Condition:
    """The condition of a join with the learner of a row, with the provider: PostgreSQL then reads them once."""
    return and_(Learner.id == learner_id, scope.of_provider(Learner))


def _grouped(metric: Metric, role: Role, group_by: GroupBy) -> Select:
    """Selects a metric's numbers with `group_key`: the key of an owner among the bound keys, or NULL for the viewer."""
    of_metric = SELECTS[metric](role)
    statement = of_metric.statement
    match group_by:
        case GroupBy.AIM:
            raise ValueError("aims are not aggregated")
        case GroupBy.VIEWER:
            return of_metric.by(None)
        case GroupBy.LEARNER:
            group_key = of_metric.learner_id
        case GroupBy.EMPLOYER:
            group_key = Learner.employer_id
            if metric is not Metric.LEARNERS:
                statement = statement.join(Learner, learner_of(of_metric.learner_id))
    return of_metric.by(group_key, statement.where(any_of(group_key)))


@cached_statement
def _statement(role: Role, group_by: GroupBy, metrics: frozenset[Metric]) -> Select:
    if group_by is not GroupBy.VIEWER:
        # The first subquery has a row for each group with a learner whom the viewer sees; the others are joined to it.
        metrics |= {Metric.LEARNERS}
    first, *others = (_grouped(metric, role, group_by).subquery(metric.value) for metric in Metric if metric in metrics)
    columns = [column for subquery in (first, *others) for column in subquery.c if column.name != "group_key"]
    joined: FromClause = first
    for other in others:
        if group_by is GroupBy.VIEWER:
            joined = joined.join(other, true())
        else:
            joined = joined.outerjoin(other, other.c.group_key == first.c.group_key)
    # unscoped: each of the subqueries is scoped
    return select(first.c.group_key, *columns).select_from(joined)


def rule_parameters(reading: ReadSession) -> dict[str, Any]:
    """Returns the parameters of the selects: the time, the day and the provider's rules."""
    rules = reading.viewer.rules
    parameters = progress_sql.parameters(reading.today, rules.traffic_light_tolerance, rules.rated_from_percent)
    return {**parameters, "now": reading.now, "until": reading.now + UPCOMING}


async def aggregate(
    reading: ReadSession, group_by: GroupBy, metrics: frozenset[Metric], keys: list[int]
) -> dict[int | None, MetricValues]:
    """Returns the numbers of the metrics for each of the keys, or, grouped by viewer, for the key None.

    Reads them in one statement. Numbers of a key without records are 0.
    """
    parameters = rule_parameters(reading)
    if group_by is not GroupBy.VIEWER:
        parameters["keys"] = keys
    statement = _statement(reading.viewer.role, group_by, metrics)
    names = [column.name for column in (await statement).selected_columns if column.name != "group_key"]
    found: dict[int | None, MetricValues] = dict.fromkeys(keys, dict.fromkeys(names, 0))
    for row in await reading.rows(statement, **parameters):
        found[row.group_key] = {name: int(getattr(row, name) or 0) for name in names}
    return found
