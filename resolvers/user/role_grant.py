"""Grants roles to users and revokes them."""

from auth import policy
from auth.auth_sessions import end_sessions
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.sentences import say
from repositories.learner import learner_key_of_user
from repositories.user import (
    delete_allocations,
    delete_visible_manager_allocations,
    grants_of_user,
    is_last_master_admin,
)
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.rules.user import USER, UserState
from resolvers.user.invitation import UserChange, add_role


@mutation("roleGrant")
async def grant(uow: UnitOfWork, *, user_id: str, role: Role) -> int:
    """Grants a user a role; a role that they hold already changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED for a role that the viewer cannot grant, INVALID for LEARNER where the user has
    no learner record, and CONFLICT where the account is archived or holds a role that excludes it. Nobody grants a role
    to themself.
    """
    user = await uow.get(User, user_id, "userId")
    uow.authorize()
    uow.require(USER, UserState(user.id), archived=user.archived_at is not None)
    grantable = check_grantable(uow, role, "role")
    if grantable and role is Role.LEARNER and await learner_key_of_user(uow.session, user.id) is None:
        message = say("NOT_ENROLLED")
        uow.add_error(UserErrorCode.INVALID, message, "role")
    uow.raise_errors()
    if await add_role(uow, user, role, "role"):
        uow.audit("User", user.id, role=role.value)
    return user.id


@mutation("roleRevoke")
async def revoke(uow: UnitOfWork, *, user_id: str, role: Role) -> UserChange:
    """Revokes a role with its allocations and authentication sessions; a role that they do not hold changes nothing.

    An Assessor ends the allocations of their own learners only; the role stays while the user manages others. Rejects
    with NOT_FOUND, NOT_ALLOWED for a role that the viewer cannot grant, and CONFLICT for the viewer's own role
    MASTER_ADMIN and that of the last Master Admin.
    """
    user = await uow.get(User, user_id, "userId")
    uow.authorize()
    check_grantable(uow, role, "role")
    uow.raise_errors()
    grants = await grants_of_user(uow.session, user.id)
    if role not in grants:
        return {"key": user.id, "learners": []}
    if role is Role.MASTER_ADMIN:
        await _check_other_master_admin(uow, user)
    seen: list[int] = []
    if uow.viewer.role is Role.ASSESSOR:
        seen, others = await delete_visible_manager_allocations(uow.session, uow.viewer, user.id)
        if others:
            uow.audit("User", user.id, role=role.value, kept="other allocations")
            return {"key": user.id, "learners": seen}
    await uow.session.delete(grants[role])
    await end_sessions(uow.session, user.id, uow.now, "role revoked", role=role)
    managed = await delete_allocations(uow.session, user.id, role)
    uow.audit("User", user.id, role=role.value)
    return {"key": user.id, "learners": [*seen, *managed]}


def check_grantable(uow: UnitOfWork, role: Role, *field: str) -> bool:
    """Returns whether the viewer's role can grant and revoke that role; else records NOT_ALLOWED."""
    if role in policy.GRANTABLE.get(uow.viewer.role, ()):
        return True
    message = say("ROLE_NOT_GRANTABLE", role=role)
    uow.add_error(UserErrorCode.NOT_ALLOWED, message, *field)
    return False


async def _check_other_master_admin(uow: UnitOfWork, user: User) -> None:
    if user.id == uow.viewer.user_key:
        message = say("OWN_MASTER_ADMIN")
        uow.add_error(UserErrorCode.CONFLICT, message, "userId")
    elif await is_last_master_admin(uow.session, user):
        message = say("ONLY_MASTER_ADMIN")
        uow.add_error(UserErrorCode.CONFLICT, message, "userId")
    uow.raise_errors()
