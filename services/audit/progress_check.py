"""Checks the progress sums in `aim_progress` and `criterion_progress` against the records that they count."""

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim, AimProgress
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping
from db.models.qualification import Qualification
from services.progress import count_criteria

_MAPPINGS = (
    select(EvidenceMapping.aim_id, EvidenceMapping.criterion_id, func.count().label("counted"))
    .group_by(EvidenceMapping.aim_id, EvidenceMapping.criterion_id)
    .subquery()
)
_SAME_CRITERION = and_(
    _MAPPINGS.c.aim_id == CriterionProgress.aim_id, _MAPPINGS.c.criterion_id == CriterionProgress.criterion_id
)


async def progress_mismatches(session: AsyncSession) -> list[str]:
    """A sentence for each stored sum that differs from a fresh count; empty if all are right."""
    return [*await _aim_sums(session), *await _evidence_counts(session), *await _missing_rows(session)]


async def _aim_sums(session: AsyncSession) -> list[str]:
    mapped, signed_off = count_criteria(Aim.id)
    statement = (
        select(
            Aim.id, AimProgress, Qualification.criterion_count, mapped.label("mapped"), signed_off.label("signed_off")
        )
        .join(Qualification, Qualification.id == Aim.qualification_id)
        .outerjoin(AimProgress, AimProgress.aim_id == Aim.id)
        .where(
            or_(
                AimProgress.aim_id.is_(None),
                AimProgress.learner_id != Aim.learner_id,
                AimProgress.criteria_total != Qualification.criterion_count,
                AimProgress.criteria_mapped != mapped,
                AimProgress.criteria_signed_off != signed_off,
            )
        )
    )
    return [
        f"aim {row.id}: stored {_describe(row.AimProgress)}, counted {row.criterion_count} criteria, "
        f"{row.mapped} mapped, {row.signed_off} signed off"
        for row in await session.execute(statement)
    ]


def _describe(sums: AimProgress | None) -> str:
    if sums is None:
        return "nothing"
    return f"{sums.criteria_total} criteria, {sums.criteria_mapped} mapped, {sums.criteria_signed_off} signed off"


async def _evidence_counts(session: AsyncSession) -> list[str]:
    statement = (
        select(CriterionProgress, _MAPPINGS.c.counted)
        .outerjoin(_MAPPINGS, _SAME_CRITERION)
        .where(CriterionProgress.evidence_count != func.coalesce(_MAPPINGS.c.counted, 0))
    )
    return [
        f"aim {row.CriterionProgress.aim_id}, criterion {row.CriterionProgress.criterion_id}: stored "
        f"{row.CriterionProgress.evidence_count} evidence, counted {row.counted or 0}"
        for row in await session.execute(statement)
    ]


async def _missing_rows(session: AsyncSession) -> list[str]:
    statement = (
        select(_MAPPINGS.c.aim_id, _MAPPINGS.c.criterion_id)
        .outerjoin(CriterionProgress, _SAME_CRITERION)
        .where(CriterionProgress.aim_id.is_(None))
    )
    return [
        f"aim {row.aim_id}, criterion {row.criterion_id}: evidence is mapped, but nothing is stored"
        for row in await session.execute(statement)
    ]
