"""Reads of learners within a write transaction."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.learner import Learner


async def learner_key_of_user(session: AsyncSession, user_key: int) -> int | None:
    """Returns the key of the learner record of a user, None for a user who is no learner."""
    # unscoped: the user was read within the viewer's scope
    found = await session.execute(select(Learner.id).where(Learner.user_id == user_key))
    return found.scalar_one_or_none()


async def uln_taken(session: AsyncSession, provider_key: int, uln: str, excluding: int | None = None) -> bool:
    """Returns whether another learner of the provider has that Unique Learner Number."""
    # unscoped: a number belongs to one learner, also where the viewer does not see them
    found = await session.scalars(select(Learner.id).where(Learner.provider_id == provider_key, Learner.uln == uln))
    return any(key != excluding for key in found)
