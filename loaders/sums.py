"""Scoped sums over the records of learners: over all whom the viewer sees, each employer's, or each learner's own.

Each `Part` is one select that takes its scope by itself; `sums_of` makes one statement of those that are asked for. The
rules behind the numbers are those of `db/progress_sql.py`. A withdrawn aim is no part of any sum over aims.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, bindparam, case, func, literal, null, select, true

from auth import scope
from db import progress_sql
from db.action import Action
from db.aim import Aim, AimProgress
from db.among import among
from db.enums import (
    ActionStatus,
    AimStatus,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    SignatureRequestStatus,
    TrafficLight,
)
from db.evidence import Evidence
from db.learner import Learner
from db.progress_sql import total
from db.qualification import Qualification
from db.session import Session
from db.signature_request import SignatureRequest, SignatureSlot
from db.time_log_entry import TimeLogEntry
from loaders.reading import Reading, prepared

COMING = dt.timedelta(days=7)
_NOW = bindparam("now", type_=Session.starts_at.type)
_UNTIL = bindparam("until", type_=Session.starts_at.type)


class Part(Enum):
    """What can be asked for; reading one costs a scan of its own table and of no other part's."""

    LEARNERS = "learners"
    AIMS = "aims"
    REQUIRED_TIME = "required_time"
    ACTUAL_TIME = "actual_time"
    ACTIONS = "actions"
    EVIDENCE = "evidence"
    SESSIONS = "sessions"
    SIGNATURES = "signatures"


class By(Enum):
    """Whose records are summed up together."""

    VIEWER = "viewer"
    EMPLOYER = "employer"
    LEARNER = "learner"


# Sums by their names; what a part that was not asked for would give is not there.
Sums = Mapping[str, int]


def _how_many(condition: Any) -> Any:
    return total(case((condition, 1), else_=0))


def _learners(role: Role) -> tuple[Select, Any]:
    counted = select(func.count().label("learners")).select_from(Learner)
    return counted.where(scope.sees_learner(role, Learner.id), scope.of_provider(Learner)), Learner.id


def _aims(role: Role) -> tuple[Select, Any]:
    rated = select(
        func.count().label("aims"),
        _how_many(progress_sql.aim_light_is(TrafficLight.OFF_TRACK)).label("off_track"),
        _how_many(progress_sql.aim_light_is(TrafficLight.AHEAD)).label("ahead"),
        _how_many(progress_sql.aim_light_is(TrafficLight.NOT_RATED)).label("not_rated"),
        _how_many(progress_sql.past_planned_end()).label("past_planned_end"),
        total(AimProgress.criteria_total).label("criteria_total"),
        total(AimProgress.criteria_mapped).label("criteria_mapped"),
        total(AimProgress.criteria_signed_off).label("criteria_signed_off"),
        total(progress_sql.duration_tenths()).label("duration_tenths"),
    ).join_from(Aim, AimProgress, AimProgress.aim_id == Aim.id)
    return rated.where(scope.sees_aim(role), Aim.status != AimStatus.WITHDRAWN), Aim.learner_id


def _required_time(role: Role) -> tuple[Select, Any]:
    minutes = func.coalesce(Qualification.off_the_job_hours_minimum, 0) * literal(60, BigInteger)
    planned = select(
        total(minutes).label("required"), total(progress_sql.expected_minutes(minutes)).label("expected")
    ).join_from(Aim, Qualification, Qualification.id == Aim.qualification_id)
    return planned.where(scope.sees_aim(role), Aim.status != AimStatus.WITHDRAWN), Aim.learner_id


def _actual_time(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_record(role, TimeLogEntry.learner_id, TimeLogEntry.aim_id)
    logged = select(total(TimeLogEntry.minutes).label("actual"))
    return logged.where(
        seen, scope.of_provider(TimeLogEntry), TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB
    ), TimeLogEntry.learner_id


def _actions(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_record(role, Action.learner_id, Action.aim_id)
    late = _how_many(Action.target_date < progress_sql.TODAY)
    counted = select(func.count().label("outstanding"), late.label("overdue")).select_from(Action)
    return counted.where(seen, scope.of_provider(Action), Action.status != ActionStatus.COMPLETE), Action.learner_id


def _evidence(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_record(role, Evidence.learner_id, Evidence.aim_id)
    waiting = Evidence.status.in_((EvidenceStatus.SUBMITTED, EvidenceStatus.RESUBMITTED))
    counted = select(func.count().label("awaiting_assessment")).select_from(Evidence)
    return counted.where(seen, scope.of_provider(Evidence), waiting), Evidence.learner_id


def _sessions(role: Role) -> tuple[Select, Any]:
    seen = scope.sees_session(role, Session.id, Session.learner_id)
    coming = (Session.status == SessionStatus.PLANNED, Session.starts_at >= _NOW, Session.starts_at < _UNTIL)
    counted = select(func.count().label("coming_sessions")).select_from(Session)
    return counted.where(seen, scope.of_provider(Session), *coming), Session.learner_id


def _signatures(role: Role) -> tuple[Select, Any]:
    slots = select(func.count().label("awaiting_signature")).join_from(
        SignatureSlot, SignatureRequest, SignatureRequest.id == SignatureSlot.request_id
    )
    return slots.where(
        scope.sees_learner(role, SignatureSlot.learner_id),
        scope.of_provider(SignatureSlot),
        SignatureSlot.role == role,
        SignatureSlot.signed_at.is_(None),
        SignatureRequest.status == SignatureRequestStatus.PENDING,
    ), SignatureSlot.learner_id


# For each part its scoped select, and the column that says which learner's a record is.
_PARTS: dict[Part, Callable[[Role], tuple[Select, Any]]] = {
    Part.LEARNERS: _learners,
    Part.AIMS: _aims,
    Part.REQUIRED_TIME: _required_time,
    Part.ACTUAL_TIME: _actual_time,
    Part.ACTIONS: _actions,
    Part.EVIDENCE: _evidence,
    Part.SESSIONS: _sessions,
    Part.SIGNATURES: _signatures,
}


def _grouped(part: Part, role: Role, by: By) -> Select:
    """A part's sums with the owner's key: of each owner among the keys, or the viewer's in one row."""
    statement, learner_id = _PARTS[part](role)
    match by:
        case By.VIEWER:
            return statement.add_columns(null().label("owner"))
        case By.LEARNER:
            owner = learner_id
        case By.EMPLOYER:
            owner = Learner.employer_id
            if part is not Part.LEARNERS:
                statement = statement.join(Learner, Learner.id == learner_id)
    return statement.add_columns(owner.label("owner")).where(among(owner)).group_by(owner)


@prepared
def _statement(role: Role, by: By, parts: frozenset[Part]) -> Select:
    if by is not By.VIEWER:
        # Whoever has no learner that the viewer sees has nothing to sum up: the others are joined to those who have.
        parts |= {Part.LEARNERS}
    first, *others = (_grouped(part, role, by).subquery(part.value) for part in Part if part in parts)
    columns = [column for part in (first, *others) for column in part.c if column.name != "owner"]
    joined: FromClause = first
    for other in others:
        if by is By.VIEWER:
            joined = joined.join(other, true())
        else:
            joined = joined.outerjoin(other, other.c.owner == first.c.owner)
    # unscoped: it reads from the parts, and each of those is scoped
    return select(first.c.owner, *columns).select_from(joined)


async def sums_of(reading: Reading, by: By, parts: frozenset[Part], keys: list[int]) -> dict[int | None, Sums]:
    """The sums by owner, in one statement: for each of the keys, or by None for the viewer's."""
    rules = reading.viewer.rules
    parameters: dict[str, Any] = progress_sql.parameters(
        reading.today, rules.traffic_light_tolerance, rules.rated_from_percent
    )
    parameters |= {"now": reading.now, "until": reading.now + COMING}
    if by is not By.VIEWER:
        parameters["keys"] = keys
    statement = _statement(reading.viewer.role, by, parts)
    names = [column.name for column in statement.selected_columns][1:]
    found = {
        owner: {name: int(value or 0) for name, value in zip(names, values, strict=True)}
        for owner, *values in await reading.rows(statement, **parameters)
    }
    return dict.fromkeys(keys, dict.fromkeys(names, 0)) | found
