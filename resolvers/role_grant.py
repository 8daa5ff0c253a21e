"""Roles that people hold: granted and revoked."""

from auth import policy
from auth.auth_sessions import end_sign_ins
from db.models.user import User
from domain.enums import Role, UserErrorCode
from repositories.people import end_allocations, grants_of, is_last_master_admin, learner_of
from resolvers.core.unit_of_work import Change, writes
from resolvers.exports.labels import ROLE
from resolvers.invitation import give


@writes("roleGrant")
async def grant(change: Change, *, user_id: str, role: Role) -> int:
    """Gives a user a role; one that they hold already changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED for roles that are not the viewer's to give, INVALID for LEARNER where there is
    no learner record, and CONFLICT where the account is archived.
    """
    user = await change.get(User, user_id, "userId")
    change.allow()
    mine_to_give = may_give(change, role, "role")
    if user.archived_at is not None:
        change.fault(UserErrorCode.CONFLICT, "This account is archived, so it can be given no role.", "userId")
    if mine_to_give and role is Role.LEARNER and await learner_of(change.session, user.id) is None:
        change.fault(UserErrorCode.INVALID, "A learner is made by learnerEnrol, which gives the role too.", "role")
    change.check()
    if role not in await grants_of(change.session, user.id):
        give(change, user, role)
        change.record("User", user.id, role=role.value)
    return user.id


@writes("roleRevoke")
async def revoke(change: Change, *, user_id: str, role: Role) -> int:
    """Takes a role away, with what it reached and every sign-in in it; one that they do not hold changes nothing.

    Refuses with NOT_FOUND, NOT_ALLOWED for roles that are not the viewer's to take, and CONFLICT where nobody would be
    left as Master Admin, or where it is the viewer's own.
    """
    user = await change.get(User, user_id, "userId")
    change.allow()
    may_give(change, role, "role")
    change.check()
    held = await grants_of(change.session, user.id)
    if role not in held:
        return user.id
    if role is Role.MASTER_ADMIN:
        await _keep_a_master_admin(change, user)
    await change.session.delete(held[role])
    await end_sign_ins(change.session, user.id, change.now, "role revoked", role=role)
    await end_allocations(change.session, user.id, role)
    change.record("User", user.id, role=role.value)
    return user.id


def may_give(change: Change, role: Role, *field: str) -> bool:
    """Whether the viewer's role may give and take that role; else notes NOT_ALLOWED."""
    if role in policy.GRANTABLE.get(change.viewer.role, ()):
        return True
    message = f"Your role does not give or take the role {ROLE[role]}; ask a Master Admin."
    change.fault(UserErrorCode.NOT_ALLOWED, message, *field)
    return False


async def _keep_a_master_admin(change: Change, user: User) -> None:
    if user.id == change.viewer.user_key:
        message = "You cannot take this role from yourself; another Master Admin can."
        change.fault(UserErrorCode.CONFLICT, message, "userId")
    elif await is_last_master_admin(change.session, user):
        message = "Nobody else is a Master Admin. Give somebody else the role first."
        change.fault(UserErrorCode.CONFLICT, message, "userId")
    change.check()
