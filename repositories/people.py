"""What a change of people, places and programmes reads and removes in its transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.models.aim import Aim
from db.models.auth_session import OneTimeToken
from db.models.base import fold_name
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from db.sql.any_of import any_of
from domain.enums import Role
from domain.progress import ENDED
from loaders.core.read_session import cached_statement

# How far down from the head office a site may be; a head office without sites is at 1.
DEEPEST = 5

ALLOCATIONS: dict[Role, type[ManagerAllocation] | type[OverviewAllocation]] = {
    Role.EMPLOYER_MANAGER: ManagerAllocation,
    Role.EMPLOYER_OVERVIEW: OverviewAllocation,
}


async def lock_provider(session: AsyncSession, key: int) -> Provider:
    """The provider, locked: one at a time changes its settings, or how its employers hang together."""
    return await session.get_one(Provider, key, with_for_update={"key_share": True}, populate_existing=True)


# ---------------------------------------------------------------- people


async def user_key_by_username(session: AsyncSession, username: str) -> int | None:
    """The key of the login with that name, of whatever provider, archived or not: names are unique over all of them."""
    # unscoped: a name that is taken anywhere cannot be given again; the answer says no more than that
    return (await session.execute(select(User.id).where(User.username == username))).scalar_one_or_none()


async def grants_of_user(session: AsyncSession, user_key: int) -> dict[Role, RoleGrant]:
    """The roles that a user holds."""
    # unscoped: of a user that was read within scope
    found = await session.scalars(select(RoleGrant).where(RoleGrant.user_id == user_key))
    return {grant.role: grant for grant in found}


async def learner_key_of_user(session: AsyncSession, user_key: int) -> int | None:
    """The key of a user's own learner record."""
    # unscoped: of a user that was read within scope
    found = await session.execute(select(Learner.id).where(Learner.user_id == user_key))
    return found.scalar_one_or_none()


async def is_last_master_admin(session: AsyncSession, user: User) -> bool:
    """Whether nobody else is left to run the provider's installation.

    Locks the grants first, and looks then: of two who take the role from each other at once, the second is told.
    """
    # unscoped: of a provider's Master Admins, whom a Master Admin sees
    masters = select(RoleGrant.id).where(RoleGrant.provider_id == user.provider_id, RoleGrant.role == Role.MASTER_ADMIN)
    await session.execute(masters.order_by(RoleGrant.id).with_for_update(key_share=True))
    others = masters.join(User, User.id == RoleGrant.user_id).where(User.id != user.id, User.archived_at.is_(None))
    return (await session.execute(others.limit(1))).first() is None


async def delete_allocations(session: AsyncSession, user_key: int, *roles: Role) -> None:
    """Removes what those roles of a user reach."""
    for role in roles:
        if role in ALLOCATIONS:
            table = ALLOCATIONS[role]
            # unscoped: of a user that was read within scope
            await session.execute(delete(table).where(table.user_id == user_key))


async def revoke_tokens(session: AsyncSession, user_key: int, now: Any) -> None:
    """Makes the links that were sent to a user so far good for nothing."""
    # unscoped: of a user that was read within scope
    unused = update(OneTimeToken).where(OneTimeToken.user_id == user_key, OneTimeToken.used_at.is_(None))
    await session.execute(unused.values(used_at=now))


async def allocations_of(session: AsyncSession, role: Role, user_key: int) -> dict[int, Any]:
    """What an employer role of a user reaches: the allocations, by the key of the learner or of the employer."""
    table = ALLOCATIONS[role]
    # unscoped: of a user that was read within scope
    found = await session.scalars(select(table).where(table.user_id == user_key))
    return {row.learner_id if table is ManagerAllocation else row.employer_id: row for row in found}


@cached_statement
def _seen(role: Role, entity: type[Learner] | type[Employer]) -> Select[tuple[int]]:
    if entity is Learner:
        return select(Learner.id).where(any_of(Learner.id), scope.sees_learner(role, Learner.id))
    return select(Employer.id).where(any_of(Employer.id), scope.sees_employer(role))


async def visible_keys(
    session: AsyncSession, viewer: Viewer, entity: type[Learner] | type[Employer], keys: Sequence[int]
) -> set[int]:
    """Those of the keys that name something the viewer sees."""
    found = await session.scalars(_seen(viewer.role, entity), {**scope.viewer_params(viewer), "keys": list(keys)})
    return set(found)


# ---------------------------------------------------------------- places


async def employer_name_taken(
    session: AsyncSession, provider_key: int, name: str, parent_key: int | None, but: int | None
) -> bool:
    """Whether there is an employer of that name, accents and capitals aside, under the same parent."""
    # unscoped: two sites of one name would be taken for each other by whoever sees both
    named = select(Employer.id).where(
        Employer.provider_id == provider_key, Employer.sort_name == fold_name(name), Employer.parent_id == parent_key
    )
    return any(key != but for key in await session.scalars(named))


async def ancestors(session: AsyncSession, key: int) -> list[int]:
    """An employer and those above it, nearest first."""
    # unscoped: how one provider's employers hang together, for a viewer who may change that
    start = select(Employer.id, Employer.parent_id, literal(1).label("steps")).where(Employer.id == key)
    up = start.cte("up", recursive=True)
    # unscoped: as the statement above
    above = select(Employer.id, Employer.parent_id, up.c.steps + 1).join(up, Employer.id == up.c.parent_id)
    up = up.union_all(above.where(up.c.steps <= DEEPEST))
    # unscoped: as the statement above
    return list(await session.scalars(select(up.c.id).order_by(up.c.steps)))


async def height(session: AsyncSession, key: int) -> int:
    """How many levels an employer and those below it take."""
    # unscoped: how one provider's employers hang together, for a viewer who may change that
    down = select(Employer.id, literal(1).label("steps")).where(Employer.id == key).cte("down", recursive=True)
    # unscoped: as the statement above
    below = select(Employer.id, down.c.steps + 1).join(down, Employer.parent_id == down.c.id)
    down = down.union_all(below.where(down.c.steps <= DEEPEST))
    return (await session.execute(select(func.max(down.c.steps)))).scalar_one()


# ---------------------------------------------------------------- programmes


async def uln_taken(session: AsyncSession, provider_key: int, uln: str, but: int | None = None) -> bool:
    """Whether another learner of the provider has that number."""
    # unscoped: a number belongs to one learner, whoever sees them
    found = await session.scalars(select(Learner.id).where(Learner.provider_id == provider_key, Learner.uln == uln))
    return any(key != but for key in found)


async def has_open_aim(session: AsyncSession, learner_key: int, qualification_key: int, but: int | None = None) -> bool:
    """Whether the learner has another aim in that qualification version that has not ended."""
    # unscoped: of a learner that was read within scope; another assessor's aim counts too
    found = await session.scalars(
        select(Aim.id).where(
            Aim.learner_id == learner_key, Aim.qualification_id == qualification_key, Aim.status.not_in(ENDED)
        )
    )
    return any(key != but for key in found)
