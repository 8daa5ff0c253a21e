"""Checks that the last row of each aim's history says how the aim stands."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db.history.complete import drifted, without_history
from db.models.aim import Aim
from services.audit.batches import Batch, key_range


async def check_history(session: AsyncSession, position: Any) -> Batch:
    """Checks the history of the next aims. The position: the key of the last aim."""
    aims, last = await key_range(session, Aim.id, position)
    missing = await session.scalars(without_history().where(aims))
    differ = await session.scalars(drifted().where(aims))
    problems = [f"aim {key}: there is no history of it" for key in missing]
    problems += [f"aim {key}: the last day of its history is not how it stands" for key in differ]
    return Batch(problems, last)
