"""Reads of employers within a write transaction: names that are taken, and the hierarchy of head offices and sites."""

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.employer import Employer
from domain.text import fold_name

# Levels of the hierarchy; a head office without sites is one level.
MAX_DEPTH = 5


async def employer_name_taken(
    session: AsyncSession, provider_key: int, name: str, parent_key: int | None, excluding: int | None
) -> bool:
    """Returns whether another employer under the same parent has that name, ignoring accents and case."""
    # unscoped: a user who sees two sites of one name could not distinguish them
    same_name = select(Employer.id).where(
        Employer.provider_id == provider_key, Employer.sort_name == fold_name(name), Employer.parent_id == parent_key
    )
    return any(key != excluding for key in await session.scalars(same_name))


async def employer_and_ancestors(session: AsyncSession, key: int) -> list[int]:
    """Returns the keys of an employer and of the employers above it, nearest first."""
    # unscoped: the hierarchy of one provider, for a viewer who may change it
    start = select(Employer.id, Employer.parent_id, literal(1).label("steps")).where(Employer.id == key)
    up = start.cte("up", recursive=True)
    # unscoped: the same hierarchy
    above = select(Employer.id, Employer.parent_id, up.c.steps + 1).join(up, Employer.id == up.c.parent_id)
    up = up.union_all(above.where(up.c.steps <= MAX_DEPTH))
    # unscoped: the same hierarchy
    return list(await session.scalars(select(up.c.id).order_by(up.c.steps)))


async def levels_below(session: AsyncSession, key: int) -> int:
    """Returns how many levels an employer and the sites below it take: 1 where there are no sites."""
    # unscoped: the hierarchy of one provider, for a viewer who may change it
    down = select(Employer.id, literal(1).label("steps")).where(Employer.id == key).cte("down", recursive=True)
    # unscoped: the same hierarchy
    below = select(Employer.id, down.c.steps + 1).join(down, Employer.parent_id == down.c.id)
    down = down.union_all(below.where(down.c.steps <= MAX_DEPTH))
    return (await session.execute(select(func.max(down.c.steps)))).scalar_one()
