"""People: read in pages, invited and archived."""

from auth import policy
from auth.auth_sessions import end_sessions
from db.models.user import User
from domain.enums import Role, UserErrorCode
from repositories.people import (
    delete_allocations,
    grants_of_user,
    is_last_master_admin,
    revoke_tokens,
    user_key_by_username,
)
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import single_line
from resolvers.invitation import grant_role, make_login, send_invitation, taken, username_of
from resolvers.role_grant import may_give


@mutation("userInvite")
async def invite(uow: UnitOfWork, *, name: str, email: str, role: Role) -> int:
    """Makes a login in one role, whose username is the e-mail, and sends the invitation there [000][002].

    Somebody who was invited and has never signed in is sent a new link. Refuses with NOT_ALLOWED for roles that are not
    the viewer's to give, CONFLICT where there is a login of that name, and REQUIRED or INVALID for the fields.
    """
    uow.authorize()
    name = single_line(uow, name, "input", "name")
    username = username_of(uow, email, "input", "email")
    if may_give(uow, role, "input", "role") and role is Role.LEARNER:
        message = "A learner is made by learnerEnrol, which invites them too."
        uow.add_error(UserErrorCode.INVALID, message, "input", "role")
    key = await user_key_by_username(uow.session, username)
    user = None if key is None else await _still_invited(uow, key)
    if key is not None and user is None:
        taken(uow, "input", "email")
    uow.raise_errors()
    if user is None:
        user = await make_login(uow, name, email, username, role)
    else:
        user.name = name
        if role not in await grants_of_user(uow.session, user.id):
            grant_role(uow, user, role)
        await send_invitation(uow, user, role)
    uow.audit("User", user.id, role=role.value)
    return user.id


async def _still_invited(uow: UnitOfWork, key: int) -> User | None:
    """The user, if they were invited, have never signed in, and are the viewer's to invite again."""
    user = await uow.get_or_none(User, key)
    if user is None or user.last_login_at is not None or not user.must_change_password or user.archived_at is not None:
        return None
    held = await grants_of_user(uow.session, user.id)
    return user if held.keys() <= policy.GRANTABLE[uow.viewer.role] else None


@mutation("userArchive")
async def archive(uow: UnitOfWork, *, id: str) -> int:
    """Ends an account: every sign-in, link and allocation. The name stays in what the person took part in.

    Their aims stay as they are until aimUpdate gives them to somebody else. Refuses with NOT_FOUND, NOT_ALLOWED, and
    CONFLICT for the viewer's own account and that of the last Master Admin.
    """
    user = await uow.get(User, id, "id")
    uow.authorize()
    if user.archived_at is not None:
        return user.id
    held = await grants_of_user(uow.session, user.id)
    if user.id == uow.viewer.user_key:
        uow.add_error(UserErrorCode.CONFLICT, "You cannot archive yourself; another Master Admin can.", "id")
    elif Role.MASTER_ADMIN in held and await is_last_master_admin(uow.session, user):
        uow.add_error(UserErrorCode.CONFLICT, "Nobody else is a Master Admin. Give somebody else the role first.", "id")
    uow.raise_errors()
    user.archived_at = uow.now
    await end_sessions(uow.session, user.id, uow.now, "account archived")
    await revoke_tokens(uow.session, user.id, uow.now)
    await delete_allocations(uow.session, user.id, *Role)
    uow.audit("User", user.id)
    return user.id
