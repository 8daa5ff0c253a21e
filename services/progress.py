"""The progress sums of an aim, stored in `aim_progress`: this module has the only statement that writes them."""

from typing import Any

from sqlalchemy import ScalarSelect, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import AimProgress
from db.models.criterion_progress import CriterionProgress


def count_criteria(aim_id: Any) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """Subqueries that count an aim's criteria: (mapped, signed off). `aim_id`: a key or a column of keys."""
    of_aim = CriterionProgress.aim_id == aim_id
    mapped = (
        select(func.count())
        .where(of_aim, or_(CriterionProgress.evidence_count > 0, CriterionProgress.signed_off))
        .scalar_subquery()
    )
    signed_off = select(func.count()).where(of_aim, CriterionProgress.signed_off).scalar_subquery()
    return mapped, signed_off


async def recount_progress(session: AsyncSession, aim_id: int) -> None:
    """Counts an aim's criteria and stores the sums, in the transaction that changed the criteria."""
    mapped, signed_off = count_criteria(aim_id)
    await session.execute(
        update(AimProgress)
        .where(AimProgress.aim_id == aim_id)
        .values(criteria_mapped=mapped, criteria_signed_off=signed_off)
    )
