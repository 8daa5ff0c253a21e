"""The work of assessors in a period: what they assessed and returned, how long it had waited, and what waits now."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.evidence import Evidence, EvidenceVersion
from db.sql.any_of import any_of
from db.sql.elapsed import elapsed_days
from domain import clock
from domain.enums import EvidenceStatus, Role
from loaders.core.base import OneLoader
from loaders.core.registry import Loaders
from loaders.count_conditions import of_counted_aim

_ASSESSED, _RETURNED = "evidenceAssess", "evidenceReturn"
# The bounds of the period: from the first, before the second.
PERIOD = (bindparam("since", type_=AuditEvent.at.type), bindparam("before", type_=AuditEvent.at.type))
# The conditions of events that are decisions on evidence in the period.
DECISIONS = (
    AuditEvent.at >= PERIOD[0],
    AuditEvent.at < PERIOD[1],
    AuditEvent.subject_type == Evidence.type_name(),
    or_(AuditEvent.action == _ASSESSED, AuditEvent.action == _RETURNED),
)


@dataclass(slots=True)
class AssessorWorkloadRow:
    """What an assessor decided in a period. `mean_days_to_assess` is None where nothing was decided."""

    assessed_count: int = 0
    returned_count: int = 0
    waiting_count: int = 0
    mean_days_to_assess: float | None = None


def submission_of_decision() -> Any:
    """The moment of the submission that an event decided on: the last one before it."""
    return (
        # unscoped: a column of a scoped statement
        select(func.max(EvidenceVersion.submitted_at))
        .where(EvidenceVersion.evidence_id == Evidence.id, EvidenceVersion.submitted_at <= AuditEvent.at)
        .correlate(Evidence, AuditEvent)
        .scalar_subquery()
    )


def assessed(action: Any) -> ColumnElement[int]:
    """1 for a decision that assessed the evidence, else 0."""
    return case((action == _ASSESSED, 1), else_=0)


def returned(action: Any) -> ColumnElement[int]:
    """1 for a decision that returned the evidence, else 0."""
    return case((action == _RETURNED, 1), else_=0)


@cached_statement
def _decided(role: Role) -> Select:
    """Selects the decisions of each of the bound assessors. Each submission is counted once, by its first decision."""
    decisions = (
        select(
            AuditEvent.actor_id,
            AuditEvent.action,
            AuditEvent.at,
            AuditEvent.subject_key,
            submission_of_decision().label("submitted_at"),
        )
        .join(Evidence, Evidence.id == AuditEvent.subject_key)
        .where(
            any_of(AuditEvent.actor_id),
            *DECISIONS,
            scope.of_provider(AuditEvent),
            scope.sees_record(role, Evidence.learner_id, Evidence.aim_id),
        )
        .subquery()
    )
    of_submission = (
        select(
            decisions.c.actor_id,
            decisions.c.submitted_at,
            func.min(decisions.c.at).label("decided_at"),
            func.max(assessed(decisions.c.action)).label("assessed"),
            func.max(returned(decisions.c.action)).label("returned"),
        )
        .group_by(decisions.c.actor_id, decisions.c.subject_key, decisions.c.submitted_at)
        .subquery()
    )
    return select(
        of_submission.c.actor_id,
        func.sum(of_submission.c.assessed).label("assessed"),
        func.sum(of_submission.c.returned).label("returned"),
        func.avg(elapsed_days(of_submission.c.submitted_at, of_submission.c.decided_at)).label("days"),
    ).group_by(of_submission.c.actor_id)


@cached_statement
def _waiting(role: Role) -> Select:
    aim = aliased(Aim)
    waits = or_(Evidence.status == EvidenceStatus.SUBMITTED, Evidence.status == EvidenceStatus.RESUBMITTED)
    return (
        select(aim.assessor_id, func.count().label("waiting"))
        .select_from(Evidence)
        .join(aim, aim.id == Evidence.aim_id)
        .where(
            any_of(aim.assessor_id),
            waits,
            of_counted_aim(Evidence.aim_id),
            scope.sees_record(role, Evidence.learner_id, Evidence.aim_id),
            scope.of_provider(Evidence),
        )
        .group_by(aim.assessor_id)
    )


class AssessorWorkloadLoader(OneLoader[int, AssessorWorkloadRow]):
    """Loads the work of an assessor between two days, both included, on the evidence that the viewer sees."""

    keys_of = "user_account"

    def __init__(self, loaders: Loaders, first: dt.date, last: dt.date) -> None:
        super().__init__(loaders)
        self._period = {"since": clock.start_of(first), "before": clock.end_of(last)}

    async def fetch(self, keys: list[int]) -> dict[int, AssessorWorkloadRow]:
        role = self.reading.viewer.role
        found = {key: AssessorWorkloadRow() for key in keys}
        for row in await self.reading.rows(_decided(role), keys=keys, **self._period):
            each = found[row.actor_id]
            each.assessed_count, each.returned_count = int(row.assessed), int(row.returned)
            each.mean_days_to_assess = None if row.days is None else round(float(row.days), 1)
        for row in await self.reading.rows(_waiting(role), keys=keys):
            found[row.assessor_id].waiting_count = row.waiting
        return found
