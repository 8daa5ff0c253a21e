"""Reads of learners within a write transaction."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.cv import CvDocument
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


async def users_of_learners(session: AsyncSession, keys: Collection[int]) -> set[int]:
    """Returns the user keys of learners."""
    # unscoped: the learners were read within the viewer's scope
    return set(await session.scalars(select(Learner.user_id).where(Learner.id.in_(keys))))


async def users_of_learners_at(session: AsyncSession, employer_keys: Collection[int]) -> set[int]:
    """Returns the user keys of the learners at sites."""
    # unscoped: the sites were read within the viewer's scope, and only the allocated user is looked up in it
    return set(await session.scalars(select(Learner.user_id).where(Learner.employer_id.in_(employer_keys))))


async def documents_with_file(session: AsyncSession, learner_key: int, file_key: int | None) -> list[CvDocument]:
    """Returns the documents of a learner's CV that have that file."""
    # unscoped: the learner was read within the viewer's scope
    statement = select(CvDocument).where(CvDocument.learner_id == learner_key, CvDocument.file_id == file_key)
    return list(await session.scalars(statement))
