"""Scoped sums over the records of learners: over all whom the viewer sees, each employer's, or each learner's own.

Each `Metric` is one select that takes its scope by itself; `aggregate` makes one statement of those that are asked for. The
rules behind the numbers are those of `db/sql/progress.py`. A withdrawn aim is no part of any sum over aims.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, bindparam, case, func, literal, null, select, true

from auth import scope
from db.models.action import Action
from db.models.aim import Aim, AimProgress
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.models.session import Session
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.time_log_entry import TimeLogEntry
from db.sql import progress as progress_sql
from db.sql.any_of import any_of
from db.sql.progress import total
from domain.enums import (
    ActionStatus,
    AimStatus,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    SignatureRequestStatus,
    TrafficLight,
)
from loaders.core.read_session import ReadSession, cached_statement

COMING = dt.timedelta(days=7)
_NOW = bindparam("now", type_=Session.starts_at.type)
_UNTIL = bindparam("until", type_=Session.starts_at.type)
# That an aim counts.
_COUNTS = Aim.status != AimStatus.WITHDRAWN


class Metric(Enum):
    """What can be asked for; reading one costs a scan of its own table and of no other part's."""

    LEARNERS = "learners"
    AIMS = "aims"
    REQUIRED_TIME = "required_time"
    ACTUAL_TIME = "actual_time"
    ACTIONS = "actions"
    EVIDENCE = "evidence"
    SESSIONS = "sessions"
    SIGNATURES = "signatures"


class GroupBy(Enum):
    """Whose records are summed up together."""

    VIEWER = "viewer"
    EMPLOYER = "employer"
    LEARNER = "learner"


# Sums by their names; what a part that was not asked for would give is not there.
Sums = Mapping[str, int]


def _how_many(condition: Any) -> Any:
    return total(case((condition, 1), else_=0))


def _learners(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_learner(role, Learner.id), scope.of_provider(Learner)
    return select(func.count().label("learners")).select_from(Learner).where(*seen), Learner.id


def _aims(role: Role) -> tuple[Select, Any]:
    sums = (
        func.count().label("aims"),
        _how_many(progress_sql.aim_light_is(TrafficLight.OFF_TRACK)).label("off_track"),
        _how_many(progress_sql.aim_light_is(TrafficLight.AHEAD)).label("ahead"),
        _how_many(progress_sql.aim_light_is(TrafficLight.NOT_RATED)).label("not_rated"),
        _how_many(progress_sql.past_planned_end()).label("past_planned_end"),
        total(AimProgress.criteria_total).label("criteria_total"),
        total(AimProgress.criteria_mapped).label("criteria_mapped"),
        total(AimProgress.criteria_signed_off).label("criteria_signed_off"),
        total(progress_sql.duration_tenths()).label("duration_tenths"),
    )
    aims = select(*sums).join_from(Aim, AimProgress, AimProgress.aim_id == Aim.id).where(scope.sees_aim(role), _COUNTS)
    return aims, Aim.learner_id


def _required_time(role: Role) -> tuple[Select, Any]:
    minutes = func.coalesce(Qualification.off_the_job_hours_minimum, 0) * literal(60, BigInteger)
    sums = total(minutes).label("required"), total(progress_sql.expected_minutes(minutes)).label("expected")
    qualified = Qualification.id == Aim.qualification_id
    return select(*sums).join_from(Aim, Qualification, qualified).where(scope.sees_aim(role), _COUNTS), Aim.learner_id


def _actual_time(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_record(role, TimeLogEntry.learner_id, TimeLogEntry.aim_id), scope.of_provider(TimeLogEntry)
    away = TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB
    return select(total(TimeLogEntry.minutes).label("actual")).where(*seen, away), TimeLogEntry.learner_id


def _actions(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_record(role, Action.learner_id, Action.aim_id), scope.of_provider(Action)
    sums = func.count().label("outstanding"), _how_many(Action.target_date < progress_sql.TODAY).label("overdue")
    open_ = Action.status != ActionStatus.COMPLETE
    return select(*sums).select_from(Action).where(*seen, open_), Action.learner_id


def _evidence(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_record(role, Evidence.learner_id, Evidence.aim_id), scope.of_provider(Evidence)
    waiting = Evidence.status.in_((EvidenceStatus.SUBMITTED, EvidenceStatus.RESUBMITTED))
    counted = func.count().label("awaiting_assessment")
    return select(counted).select_from(Evidence).where(*seen, waiting), Evidence.learner_id


def _sessions(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_session(role, Session.id, Session.learner_id), scope.of_provider(Session)
    coming = (Session.status == SessionStatus.PLANNED, Session.starts_at >= _NOW, Session.starts_at < _UNTIL)
    counted = func.count().label("coming_sessions")
    return select(counted).select_from(Session).where(*seen, *coming), Session.learner_id


def _signatures(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_learner(role, SignatureSlot.learner_id), scope.of_provider(SignatureSlot)
    empty = SignatureSlot.role == role, SignatureSlot.signed_at.is_(None)
    pending = SignatureRequest.status == SignatureRequestStatus.PENDING
    counted, asked = func.count().label("awaiting_signature"), SignatureRequest.id == SignatureSlot.request_id
    slots = select(counted).join_from(SignatureSlot, SignatureRequest, asked).where(*seen, *empty, pending)
    return slots, SignatureSlot.learner_id


# For each part its scoped select, and the column that says which learner's a record is.
_PARTS: dict[Metric, Callable[[Role], tuple[Select, Any]]] = {
    Metric.LEARNERS: _learners,
    Metric.AIMS: _aims,
    Metric.REQUIRED_TIME: _required_time,
    Metric.ACTUAL_TIME: _actual_time,
    Metric.ACTIONS: _actions,
    Metric.EVIDENCE: _evidence,
    Metric.SESSIONS: _sessions,
    Metric.SIGNATURES: _signatures,
}


def _grouped(part: Metric, role: Role, by: GroupBy) -> Select:
    """A part's sums with the owner's key: of each owner among the keys, or the viewer's in one row."""
    statement, learner_id = _PARTS[part](role)
    match by:
        case GroupBy.VIEWER:
            return statement.add_columns(null().label("owner"))
        case GroupBy.LEARNER:
            owner = learner_id
        case GroupBy.EMPLOYER:
            owner = Learner.employer_id
            if part is not Metric.LEARNERS:
                statement = statement.join(Learner, Learner.id == learner_id)
    return statement.add_columns(owner.label("owner")).where(any_of(owner)).group_by(owner)


@cached_statement
def _statement(role: Role, by: GroupBy, parts: frozenset[Metric]) -> Select:
    if by is not GroupBy.VIEWER:
        # Whoever has no learner that the viewer sees has nothing to sum up: the others are joined to those who have.
        parts |= {Metric.LEARNERS}
    first, *others = (_grouped(part, role, by).subquery(part.value) for part in Metric if part in parts)
    columns = [column for part in (first, *others) for column in part.c if column.name != "owner"]
    joined: FromClause = first
    for other in others:
        if by is GroupBy.VIEWER:
            joined = joined.join(other, true())
        else:
            joined = joined.outerjoin(other, other.c.owner == first.c.owner)
    # unscoped: it reads from the parts, and each of those is scoped
    return select(first.c.owner, *columns).select_from(joined)


async def aggregate(
    reading: ReadSession, by: GroupBy, parts: frozenset[Metric], keys: list[int]
) -> dict[int | None, Sums]:
    """The sums by owner, in one statement: for each of the keys, or by None for the viewer's."""
    rules = reading.viewer.rules
    parameters: dict[str, Any] = progress_sql.parameters(
        reading.today, rules.traffic_light_tolerance, rules.rated_from_percent
    )
    parameters |= {"now": reading.now, "until": reading.now + COMING}
    if by is not GroupBy.VIEWER:
        parameters["keys"] = keys
    statement = _statement(reading.viewer.role, by, parts)
    names = [column.name for column in statement.selected_columns][1:]
    found = {
        owner: {name: int(value or 0) for name, value in zip(names, values, strict=True)}
        for owner, *values in await reading.rows(statement, **parameters)
    }
    return dict.fromkeys(keys, dict.fromkeys(names, 0)) | found
