"""Creates accounts by invitation, and ends them by archiving."""

from auth import policy
from auth.auth_sessions import end_sessions
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.sentences import say
from repositories.user import (
    delete_allocations,
    grants_of_user,
    is_last_master_admin,
    open_work,
    revoke_tokens,
    use_of_username,
)
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import single_line
from resolvers.rules.user import USER, UserState
from resolvers.user.invitation import (
    UserChange,
    add_email_taken,
    add_role,
    create_user,
    is_open_invitation,
    parse_username,
    send_invitation,
)
from resolvers.user.role_grant import check_grantable


@mutation("userInvite")
async def invite(uow: UnitOfWork, *, name: str, email: str, role: Role) -> int:
    """Adds a user in one role, whose username is the e-mail, and sends the invitation. Returns the user's key.

    A person who was invited and has never signed in gets a new link; one who holds the role already is not changed.
    Rejects with NOT_ALLOWED for a role that the
    viewer cannot grant, CONFLICT where the username is taken, and REQUIRED or INVALID for the fields.
    """
    uow.authorize()
    name = single_line(uow, name, "input", "name")
    username = parse_username(uow, email, "input", "email")
    if check_grantable(uow, role, "input", "role") and role is Role.LEARNER:
        message = say("LEARNER_IS_ENROLLED")
        uow.add_error(UserErrorCode.INVALID, message, "input", "role")
    use = await use_of_username(uow.session, uow.viewer.provider_key, username)
    key = use.user_key
    user = None if key is None else await _open_invitation(uow, key)
    if key is not None and user is None:
        if await _holds_already(uow, key, role):
            uow.raise_errors()
            return key
        add_email_taken(uow, "input", "email")
    uow.raise_errors()
    if user is None:
        user = await create_user(uow, name, email, username, role, use.password_hash)
    else:
        user.name = name
        await add_role(uow, user, role, "input", "role")
        await send_invitation(uow, user, role)
    uow.audit("User", user.id, role=role.value)
    return user.id


@mutation("userArchive")
async def archive(uow: UnitOfWork, *, id: str) -> UserChange:
    """Archives an account: ends its authentication sessions, links and allocations. Records keep the user's name.

    Rejects with NOT_FOUND, NOT_ALLOWED, and CONFLICT for the viewer's own account, that of the last Master Admin, and
    while work is open: aims that have not ended, and planned sessions.
    """
    user = await uow.get(User, id, "id")
    uow.authorize()
    if user.archived_at is not None:
        return {"key": user.id, "learners": []}
    grants = await grants_of_user(uow.session, user.id)
    uow.require(
        USER, UserState(user.id), archived=False,
        only_master_admin=Role.MASTER_ADMIN in grants and await is_last_master_admin(uow.session, user),
        open_work=await open_work(uow.session, uow.viewer, user.id, uow.now),
    )  # fmt: skip
    user.archived_at = uow.now
    await end_sessions(uow.session, user.id, uow.now, "account archived")
    await revoke_tokens(uow.session, user.id, uow.now)
    managed = await delete_allocations(uow.session, user.id, *Role)
    uow.audit("User", user.id)
    return {"key": user.id, "learners": managed}


async def _holds_already(uow: UnitOfWork, key: int, role: Role) -> bool:
    """Returns whether the account is an active one of the provider that holds the role, which the viewer can grant."""
    user = await uow.session.get(User, key)
    if user is None or user.provider_id != uow.viewer.provider_key or user.archived_at is not None:
        return False
    return role in policy.GRANTABLE[uow.viewer.role] and role in await grants_of_user(uow.session, user.id)


async def _open_invitation(uow: UnitOfWork, key: int) -> User | None:
    """Returns the user, if they were invited, have never signed in, and hold only roles that the viewer can grant."""
    user = await uow.get_or_none(User, key)
    if user is None or not is_open_invitation(user):
        return None
    grants = await grants_of_user(uow.session, user.id)
    return user if grants.keys() <= policy.GRANTABLE[uow.viewer.role] else None
