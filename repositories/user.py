"""Reads and deletions of a user's roles, allocations and one-time links within a write transaction."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.models.auth_session import OneTimeToken
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.user_state import OpenWork, open_work_statement

Allocation: TypeAlias = ManagerAllocation | OverviewAllocation

# The table that says what a user in an employer role sees.
ALLOCATIONS: dict[Role, type[Allocation]] = {
    Role.EMPLOYER_MANAGER: ManagerAllocation,
    Role.EMPLOYER_OVERVIEW: OverviewAllocation,
}


@dataclass(frozen=True, slots=True)
class UsernameUse:
    """Who has a username: the user of the training provider, also if archived, and any password hash with its salt."""

    user_key: int | None
    password_hash: str | None


async def use_of_username(session: AsyncSession, provider_key: int, username: str) -> UsernameUse:
    """Returns who has a username. What it says of other training providers is for the salt of a new account only."""
    # unscoped: the viewer learns nothing of accounts at other training providers
    statement = select(User.id, User.provider_id, User.password_hash).where(User.username == username)
    rows = (await session.execute(statement.order_by(User.id))).all()
    own = next((row.id for row in rows if row.provider_id == provider_key), None)
    return UsernameUse(own, rows[0].password_hash if rows else None)


async def grants_of_user(session: AsyncSession, user_key: int) -> dict[Role, RoleGrant]:
    """Returns the roles that a user holds."""
    # unscoped: the user was read within the viewer's scope
    found = await session.scalars(select(RoleGrant).where(RoleGrant.user_id == user_key))
    return {grant.role: grant for grant in found}


async def holds_role(session: AsyncSession, user_key: int, role: Role) -> bool:
    """Returns whether a user holds a role."""
    statement = select(RoleGrant.id).where(RoleGrant.user_id == user_key, RoleGrant.role == role)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def is_last_master_admin(session: AsyncSession, user: User) -> bool:
    """Returns whether no other user with an active account is a Master Admin of the provider.

    Locks the grants before it counts: of two Master Admins who take the role from each other at once, one is rejected.
    """
    # unscoped: a Master Admin sees the provider's other Master Admins
    masters = select(RoleGrant.id).where(RoleGrant.provider_id == user.provider_id, RoleGrant.role == Role.MASTER_ADMIN)
    await session.execute(masters.order_by(RoleGrant.id).with_for_update(key_share=True))
    others = masters.join(User, User.id == RoleGrant.user_id).where(User.id != user.id, User.archived_at.is_(None))
    return (await session.execute(others.limit(1))).first() is None


async def allocations_of(session: AsyncSession, role: Role, user_key: int) -> dict[int, Allocation]:
    """Returns a user's allocations in an employer role, by the key of the learner or of the employer."""
    table: Any = ALLOCATIONS[role]
    # unscoped: the user was read within the viewer's scope
    found = await session.scalars(select(table).where(table.user_id == user_key))
    return {row.learner_id if isinstance(row, ManagerAllocation) else row.employer_id: row for row in found}


async def delete_allocations(session: AsyncSession, user_key: int, *roles: Role) -> list[int]:
    """Deletes a user's allocations in those of the roles that have any; returns the learners whom they managed."""
    managed: list[int] = []
    for role in roles:
        if role in ALLOCATIONS:
            table = ALLOCATIONS[role]
            # unscoped: the user was read within the viewer's scope
            statement = delete(table).where(table.user_id == user_key)
            if role is Role.EMPLOYER_MANAGER:
                managed = list(await session.scalars(statement.returning(ManagerAllocation.learner_id)))
            else:
                await session.execute(statement)
    return managed


async def delete_visible_manager_allocations(
    session: AsyncSession, viewer: Viewer, user_key: int
) -> tuple[list[int], bool]:
    """Deletes a manager's allocations to learners whom the viewer sees; returns these, and whether others remain."""
    allocations = await allocations_of(session, Role.EMPLOYER_MANAGER, user_key)
    visible = await visible_keys(session, viewer, Learner, list(allocations))
    for learner_key in visible:
        await session.delete(allocations[learner_key])
    return sorted(visible), len(visible) < len(allocations)


async def revoke_tokens(session: AsyncSession, user_key: int, now: dt.datetime) -> None:
    """Revokes the one-time links that were sent to a user and have not been used."""
    # unscoped: the user was read within the viewer's scope
    unused = update(OneTimeToken).where(OneTimeToken.user_id == user_key, OneTimeToken.used_at.is_(None))
    await session.execute(unused.values(used_at=now))


@cached_statement
def _visible(role: Role, entity: type[Learner] | type[Employer]) -> Select[int]:
    return select(entity.id).where(any_of(entity.id), scope.sees(role, entity))


async def visible_keys(
    session: AsyncSession, viewer: Viewer, entity: type[Learner] | type[Employer], keys: Sequence[int]
) -> set[int]:
    """Returns those of the keys that name a learner or an employer whom the viewer sees."""
    parameters = {**scope.viewer_params(viewer), "keys": list(keys)}
    return set(await session.scalars(await _visible(viewer.role, entity), parameters))


async def pending_email(session: AsyncSession, user_key: int) -> str | None:
    """Returns the address that the latest invitation of a user was sent to, if it is not their address yet."""
    # unscoped: the user was read within the viewer's scope
    statement = select(OneTimeToken.new_email, OneTimeToken.used_at).where(OneTimeToken.user_id == user_key)
    latest = (await session.execute(statement.order_by(OneTimeToken.id.desc()).limit(1))).first()
    return latest.new_email if latest and latest.used_at is None else None


async def open_work(session: AsyncSession, viewer: Viewer, user_key: int, now: dt.datetime) -> OpenWork:
    """Counts the work that would belong to no active user if the user's account were archived."""
    parameters = {**scope.viewer_params(viewer), "keys": [user_key], "now": now}
    return OpenWork.of((await session.execute(await open_work_statement(viewer.role), parameters)).one())
