"""How long things take by group: evidence until it is assessed or returned, documents until they are signed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.audit_event import AuditEvent
from db.models.evidence import Evidence
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.sql.elapsed import elapsed_days
from domain import clock, progress
from domain.enums import EvidenceStatus, KpiGroupBy, Role, SignatureRequestStatus
from loaders.assessor_workload import DECISIONS, PERIOD, returned, submission_of_decision
from loaders.core.read_session import ReadSession
from loaders.count_conditions import of_counted_aim
from loaders.kpi_slice import Shapes, Slice, slice_of


@dataclass(slots=True)
class TurnaroundRow:
    """The turnaround of a group. Means are None where nothing was decided or signed in the period."""

    decided_count: int = 0
    returned_count: int = 0
    waiting_count: int = 0
    signed_count: int = 0
    unsigned_count: int = 0
    mean_days_to_assess: float | None = None
    mean_days_to_sign: float | None = None

    @property
    def returned_percent(self) -> float:
        """Returns the submissions that were returned in percent of those that were decided; 0 if there are none."""
        return progress.percent(self.returned_count, self.decided_count)


@cached_statement
def _decided(role: Role, by: KpiGroupBy, shapes: Shapes) -> Select:
    _, members = slice_of(role, by, shapes)
    decisions = (
        select(
            Evidence.id,
            Evidence.learner_id,
            Evidence.aim_id,
            AuditEvent.action,
            AuditEvent.at,
            submission_of_decision().label("submitted_at"),
        )
        .join(Evidence, Evidence.id == AuditEvent.subject_key)
        .where(*DECISIONS, scope.of_provider(AuditEvent), scope.sees_record(role, Evidence.learner_id, Evidence.aim_id))
        .subquery()
    )
    # unscoped: of the scoped decisions above
    of_submission = (
        select(
            decisions.c.learner_id,
            decisions.c.aim_id,
            elapsed_days(decisions.c.submitted_at, func.min(decisions.c.at)).label("days"),
            func.max(returned(decisions.c.action)).label("returned"),
        )
        .group_by(decisions.c.id, decisions.c.learner_id, decisions.c.aim_id, decisions.c.submitted_at)
        .subquery()
    )
    of_member = and_(members.c.learner_id == of_submission.c.learner_id, members.c.aim_id == of_submission.c.aim_id)
    # unscoped: both are scoped above
    return (
        select(
            members.c.group_key,
            func.count().label("decided"),
            func.sum(of_submission.c.returned).label("returned"),
            func.avg(of_submission.c.days).label("days"),
        )
        .select_from(of_submission)
        .join(members, of_member)
        .group_by(members.c.group_key)
    )


@cached_statement
def _waiting(role: Role, by: KpiGroupBy, shapes: Shapes) -> Select:
    _, members = slice_of(role, by, shapes)
    waits = or_(Evidence.status == EvidenceStatus.SUBMITTED, Evidence.status == EvidenceStatus.RESUBMITTED)
    return (
        select(members.c.group_key, func.count().label("waiting"))
        .select_from(Evidence)
        .join(members, and_(members.c.learner_id == Evidence.learner_id, members.c.aim_id == Evidence.aim_id))
        .where(
            waits,
            of_counted_aim(Evidence.aim_id),
            scope.sees_record(role, Evidence.learner_id, Evidence.aim_id),
            scope.of_provider(Evidence),
        )
        .group_by(members.c.group_key)
    )


def _slots(role: Role, by: KpiGroupBy, shapes: Shapes, *columns: Any) -> Select:
    """Selects signature slots of documents, which are about a learner: the group of each of the learner's aims."""
    _, members = slice_of(role, by, shapes)
    return (
        select(members.c.group_key, func.count().label("slots"), *columns)
        .select_from(SignatureSlot)
        .join(SignatureRequest, SignatureRequest.id == SignatureSlot.request_id)
        .join(members, and_(members.c.learner_id == SignatureRequest.learner_id, members.c.aim_id == 0))
        .where(
            SignatureSlot.withdrawn_at.is_(None),
            scope.sees_document(role, SignatureRequest.id, SignatureRequest.learner_id),
            scope.of_provider(SignatureRequest),
        )
        .group_by(members.c.group_key)
    )


@cached_statement
def _signed(role: Role, by: KpiGroupBy, shapes: Shapes) -> Select:
    days = func.avg(elapsed_days(SignatureRequest.requested_at, SignatureSlot.signed_at)).label("days")
    since, before = PERIOD
    return _slots(role, by, shapes, days).where(SignatureSlot.signed_at >= since, SignatureSlot.signed_at < before)


@cached_statement
def _unsigned(role: Role, by: KpiGroupBy, shapes: Shapes) -> Select:
    pending = SignatureRequest.status == SignatureRequestStatus.PENDING
    return _slots(role, by, shapes).where(SignatureSlot.signed_at.is_(None), pending)


async def turnaround(
    reading: ReadSession, by: KpiGroupBy, first: dt.date, last: dt.date, filter: Mapping[str, Any]
) -> dict[int, TurnaroundRow]:
    """Returns the turnaround between two days, both included, of each group with anything to count, by its key."""
    wanted = Slice.of(by, filter, reading)
    role, bound = reading.viewer.role, dict(wanted.values)
    period = {"since": clock.start_of(first), "before": clock.end_of(last)}
    found: dict[int, TurnaroundRow] = {}

    def group(row: Any) -> TurnaroundRow:
        return found.setdefault(row.group_key, TurnaroundRow())

    for row in await reading.rows(_decided(role, by, wanted.shapes), **bound, **period):
        each = group(row)
        each.decided_count, each.returned_count = row.decided, int(row.returned)
        each.mean_days_to_assess = None if row.days is None else round(float(row.days), 1)
    for row in await reading.rows(_waiting(role, by, wanted.shapes), **bound):
        group(row).waiting_count = row.waiting
    for row in await reading.rows(_signed(role, by, wanted.shapes), **bound, **period):
        group(row).signed_count = row.slots
        group(row).mean_days_to_sign = None if row.days is None else round(float(row.days), 1)
    for row in await reading.rows(_unsigned(role, by, wanted.shapes), **bound):
        group(row).unsigned_count = row.slots
    return found
