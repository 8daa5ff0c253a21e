"""Tasks of internal quality assurance: units to sample, and actions of samples to answer."""

from sqlalchemy import Select, case, exists, func, null, select

from auth import policy, scope
from auth.scope import VIEWER_USER
from db.models.aim import Aim
from db.models.evidence import EvidenceMapping
from db.models.qualification import QualificationUnit
from db.models.sample import Sample, SampleAction
from db.models.unit_signature import UnitSignature
from db.sql.day_number import day_number
from domain.enums import Role, TaskKind
from loaders.tasks.source import TODAY_NUMBER, columns, not_own, runs, source

# Days before a sample is planned for from which it is a task.
SAMPLING_DAYS = 28


@source(15, TaskKind.SAMPLE_UNIT, "Sample", *policy.MUTATIONS["sampleBegin"])
def _sample(role: Role) -> Select:
    """Samples that are not concluded, of units with evidence that the viewer has not assessed.

    They are work of the aim's IQA, and of Master Admins where it has none.
    """
    whose = [] if role is Role.IQA else [Aim.iqa_id.is_(None)]
    # unscoped: evidence in the unit of a visible sample
    has_evidence = exists().where(EvidenceMapping.aim_id == Sample.aim_id, EvidenceMapping.unit_id == Sample.unit_id)
    # unscoped: a signature on the unit of a visible sample
    assessed = exists().where(
        UnitSignature.aim_id == Sample.aim_id,
        UnitSignature.unit_id == Sample.unit_id,
        UnitSignature.role == Role.ASSESSOR,
        UnitSignature.signed_by_id == VIEWER_USER,
        UnitSignature.withdrawn_at.is_(None),
    )
    due = day_number(Sample.planned_for)
    # One that is planned for so soon waits since it was planned.
    since_at = case((day_number(Sample.planned_at) >= due - SAMPLING_DAYS, Sample.planned_at), else_=null())
    task = columns(
        Sample.id,
        Sample.learner_id,
        QualificationUnit.title,
        due_day=due,
        since_at=since_at,
        since_day=due - SAMPLING_DAYS,
    )
    return (
        select(*task)
        .join_from(Sample, Aim, Aim.id == Sample.aim_id)
        .join(QualificationUnit, QualificationUnit.id == Sample.unit_id)
        .where(
            scope.sees(role, Sample),
            Sample.concluded_at.is_(None),
            due <= TODAY_NUMBER + SAMPLING_DAYS,
            has_evidence,
            func.coalesce(Aim.assessor_id, 0) != VIEWER_USER,
            ~assessed,
            *whose,
            runs(role),
            *not_own(role, Sample.learner_id),
        )
    )


@source(16, TaskKind.ANSWER_SAMPLE, "SampleAction", *policy.MUTATIONS["sampleActionAnswer"])
def _answer(role: Role) -> Select:
    """Actions without an answer: work of the aim's assessor, and of Master Admins where it has none."""
    whose = [] if role is Role.ASSESSOR else [Aim.assessor_id.is_(None)]
    task = columns(SampleAction.id, SampleAction.learner_id, QualificationUnit.title, since_at=Sample.concluded_at)
    return (
        select(*task)
        .join_from(SampleAction, Sample, Sample.id == SampleAction.sample_id)
        .join(Aim, Aim.id == SampleAction.aim_id)
        .join(QualificationUnit, QualificationUnit.id == Sample.unit_id)
        .where(
            scope.sees(role, SampleAction),
            SampleAction.answered_at.is_(None),
            SampleAction.closed_at.is_(None),
            *whose,
            runs(role),
            *not_own(role, SampleAction.learner_id),
        )
    )
