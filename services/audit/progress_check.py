"""The sums in aim_progress and criterion_progress against what they sum, and the only statement that writes the sums."""

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim, AimProgress
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping
from db.models.qualification import Qualification


def _touched(aim_id: object) -> tuple[object, object]:
    """(criteria mapped, criteria signed off) of an aim, counted from its criteria."""
    counted = CriterionProgress.aim_id == aim_id
    mapped = (
        select(func.count())
        .where(counted, or_(CriterionProgress.evidence_count > 0, CriterionProgress.signed_off))
        .scalar_subquery()
    )
    signed_off = select(func.count()).where(counted, CriterionProgress.signed_off).scalar_subquery()
    return mapped, signed_off


async def recount_progress(session: AsyncSession, aim_id: int) -> None:
    """Writes an aim's sums from its criteria, in the transaction that changed them."""
    mapped, signed_off = _touched(aim_id)
    await session.execute(
        update(AimProgress)
        .where(AimProgress.aim_id == aim_id)
        .values(criteria_mapped=mapped, criteria_signed_off=signed_off)
    )


async def progress_mismatches(session: AsyncSession) -> list[str]:
    """A sentence for each sum that is not what it sums; empty where all are true."""
    mapped, signed_off = _touched(Aim.id)
    aims = (
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
    faults = [
        f"aim {row.id}: stored {_stored(row.AimProgress)}, counted {row.criterion_count} criteria, {row.mapped} mapped, "
        f"{row.signed_off} signed off"
        for row in await session.execute(aims)
    ]
    evidence = (
        select(EvidenceMapping.aim_id, EvidenceMapping.criterion_id, func.count().label("count"))
        .group_by(EvidenceMapping.aim_id, EvidenceMapping.criterion_id)
        .subquery()
    )
    criteria = (
        select(CriterionProgress, evidence.c.count)
        .outerjoin(
            evidence,
            and_(
                evidence.c.aim_id == CriterionProgress.aim_id, evidence.c.criterion_id == CriterionProgress.criterion_id
            ),
        )
        .where(CriterionProgress.evidence_count != func.coalesce(evidence.c.count, 0))
    )
    faults += [
        f"aim {row.CriterionProgress.aim_id}, criterion {row.CriterionProgress.criterion_id}: stored "
        f"{row.CriterionProgress.evidence_count} evidence, counted {row.count or 0}"
        for row in await session.execute(criteria)
    ]
    untouched = (
        select(evidence.c.aim_id, evidence.c.criterion_id)
        .outerjoin(
            CriterionProgress,
            and_(
                evidence.c.aim_id == CriterionProgress.aim_id, evidence.c.criterion_id == CriterionProgress.criterion_id
            ),
        )
        .where(CriterionProgress.aim_id.is_(None))
    )
    faults += [
        f"aim {row.aim_id}, criterion {row.criterion_id}: evidence is mapped, but nothing is stored"
        for row in await session.execute(untouched)
    ]
    return faults


def _stored(sums: AimProgress | None) -> str:
    if sums is None:
        return "nothing"
    return f"{sums.criteria_total} criteria, {sums.criteria_mapped} mapped, {sums.criteria_signed_off} signed off"
