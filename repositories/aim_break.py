"""Reads of breaks within a write transaction: all breaks of an aim."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim_break import AimBreak


async def breaks_of_aim(session: AsyncSession, aim_key: int) -> list[AimBreak]:
    """Returns the breaks of an aim, earliest first."""
    # unscoped: the aim was read within the viewer's scope
    statement = select(AimBreak).where(AimBreak.aim_id == aim_key).order_by(AimBreak.start_date, AimBreak.id)
    return list(await session.scalars(statement))
