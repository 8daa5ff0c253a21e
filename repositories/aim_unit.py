"""Reads of the chosen units of an aim within a write transaction."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim_unit import AimUnit
from db.models.qualification import QualificationUnit


async def units_of_version(session: AsyncSession, qualification_key: int) -> dict[int, QualificationUnit]:
    """Returns the units of a qualification version by key."""
    statement = select(QualificationUnit).where(QualificationUnit.qualification_id == qualification_key)
    return {unit.id: unit for unit in await session.scalars(statement)}


async def chosen_units(session: AsyncSession, aim_key: int) -> dict[int, AimUnit]:
    """Returns the optional units that are chosen for an aim, by the unit's key."""
    # unscoped: the aim was read within the viewer's scope
    return {each.unit_id: each for each in await session.scalars(select(AimUnit).where(AimUnit.aim_id == aim_key))}
