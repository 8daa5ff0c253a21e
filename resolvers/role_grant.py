"""Roles that people hold: granted and revoked."""

from auth import policy
from auth.auth_sessions import end_sessions
from db.models.user import User
from domain.enums import Role, UserErrorCode
from repositories.people import delete_allocations, grants_of_user, is_last_master_admin, learner_key_of_user
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.exports.labels import ROLE
from resolvers.invitation import grant_role


@mutation("roleGrant")
async def grant(uow: UnitOfWork, *, user_id: str, role: Role) -> int:
    """Gives a user a role; one that they hold already changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED for roles that are not the viewer's to give, INVALID for LEARNER where there is
    no learner record, and CONFLICT where the account is archived.
    """
    user = await uow.get(User, user_id, "userId")
    uow.authorize()
    mine_to_give = may_give(uow, role, "role")
    if user.archived_at is not None:
        uow.add_error(UserErrorCode.CONFLICT, "This account is archived, so it can be given no role.", "userId")
    if mine_to_give and role is Role.LEARNER and await learner_key_of_user(uow.session, user.id) is None:
        uow.add_error(UserErrorCode.INVALID, "A learner is made by learnerEnrol, which gives the role too.", "role")
    uow.raise_errors()
    if role not in await grants_of_user(uow.session, user.id):
        grant_role(uow, user, role)
        uow.audit("User", user.id, role=role.value)
    return user.id


@mutation("roleRevoke")
async def revoke(uow: UnitOfWork, *, user_id: str, role: Role) -> int:
    """Takes a role away, with what it reached and every sign-in in it; one that they do not hold changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED for roles that are not the viewer's to take, and CONFLICT where nobody would be
    left as Master Admin, or where it is the viewer's own.
    """
    user = await uow.get(User, user_id, "userId")
    uow.authorize()
    may_give(uow, role, "role")
    uow.raise_errors()
    held = await grants_of_user(uow.session, user.id)
    if role not in held:
        return user.id
    if role is Role.MASTER_ADMIN:
        await _keep_a_master_admin(uow, user)
    await uow.session.delete(held[role])
    await end_sessions(uow.session, user.id, uow.now, "role revoked", role=role)
    await delete_allocations(uow.session, user.id, role)
    uow.audit("User", user.id, role=role.value)
    return user.id


def may_give(uow: UnitOfWork, role: Role, *field: str) -> bool:
    """Whether the viewer's role may give and take that role; else notes NOT_ALLOWED."""
    if role in policy.GRANTABLE.get(uow.viewer.role, ()):
        return True
    message = f"Your role does not give or take the role {ROLE[role]}; ask a Master Admin."
    uow.add_error(UserErrorCode.NOT_ALLOWED, message, *field)
    return False


async def _keep_a_master_admin(uow: UnitOfWork, user: User) -> None:
    if user.id == uow.viewer.user_key:
        message = "You cannot take this role from yourself; another Master Admin can."
        uow.add_error(UserErrorCode.CONFLICT, message, "userId")
    elif await is_last_master_admin(uow.session, user):
        message = "Nobody else is a Master Admin. Give somebody else the role first."
        uow.add_error(UserErrorCode.CONFLICT, message, "userId")
    uow.raise_errors()
