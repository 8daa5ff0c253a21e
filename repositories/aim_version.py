"""Reads of a change of version within a write transaction: criteria by their codes, and what was reached in them."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.evidence import EvidenceMapping
from db.models.qualification import QualificationCriterion, QualificationUnit

# The number of a unit and the code of a criterion.
CriterionCode = tuple[str, str]


async def criteria_of_version(
    session: AsyncSession, qualification_key: int
) -> dict[CriterionCode, QualificationCriterion]:
    """Returns the criteria of a qualification version by the number of their unit and their code."""
    statement = (
        select(QualificationUnit.number, QualificationCriterion)
        .join(QualificationUnit, QualificationUnit.id == QualificationCriterion.unit_id)
        .where(QualificationCriterion.qualification_id == qualification_key)
    )
    return {(row.number, row.QualificationCriterion.code): row.QualificationCriterion
            for row in await session.execute(statement)}  # fmt: skip


async def mappings_of_criteria(session: AsyncSession, aim_key: int, keys: Collection[int]) -> list[EvidenceMapping]:
    """Returns the mappings of an aim's evidence to these criteria, in the order in which they were made."""
    # unscoped: the aim was read within the viewer's scope
    statement = (
        select(EvidenceMapping)
        .where(EvidenceMapping.aim_id == aim_key, EvidenceMapping.criterion_id.in_(keys))
        .order_by(EvidenceMapping.id)
    )
    return list(await session.scalars(statement))
