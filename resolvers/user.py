"""People: read in pages, invited and archived."""

from auth import policy
from auth.auth_sessions import end_sign_ins
from db.models.user import User
from domain.enums import Role, UserErrorCode
from loaders.core.pagination import Page
from loaders.core.viewer_list import read_page
from loaders.user import USERS, UserRow
from repositories.people import end_allocations, end_links, grants_of, is_last_master_admin, user_named
from resolvers.core.context import Context
from resolvers.core.unit_of_work import Change, writes
from resolvers.core.validation import line
from resolvers.invitation import give, make_login, send_link, taken, username_of
from resolvers.role_grant import may_give


async def page(
    context: Context, *, search: str | None, role: Role | None, first: int, after: str | None, counted: bool
) -> Page[UserRow]:
    """A page of the people whom the viewer sees, by name; archived accounts are left out.

    `role`: those who hold it. Raises BadArgument for a page or cursor that cannot be.
    """
    asked = {"search": search or None, "role": role}
    return await read_page(context.loaders.reading, USERS, first, after, counted, asked)


@writes("userInvite")
async def invite(change: Change, *, name: str, email: str, role: Role) -> int:
    """Makes a login in one role, whose username is the e-mail, and sends the invitation there [000][002].

    Somebody who was invited and has never signed in is sent a new link. Refuses with NOT_ALLOWED for roles that are not
    the viewer's to give, CONFLICT where there is a login of that name, and REQUIRED or INVALID for the fields.
    """
    change.allow()
    name = line(change, name, "input", "name")
    username = username_of(change, email, "input", "email")
    if may_give(change, role, "input", "role") and role is Role.LEARNER:
        message = "A learner is made by learnerEnrol, which invites them too."
        change.fault(UserErrorCode.INVALID, message, "input", "role")
    key = await user_named(change.session, username)
    user = None if key is None else await _still_invited(change, key)
    if key is not None and user is None:
        taken(change, "input", "email")
    change.check()
    if user is None:
        user = await make_login(change, name, email, username, role)
    else:
        user.name = name
        if role not in await grants_of(change.session, user.id):
            give(change, user, role)
        await send_link(change, user, role)
    change.record("User", user.id, role=role.value)
    return user.id


async def _still_invited(change: Change, key: int) -> User | None:
    """The user, if they were invited, have never signed in, and are the viewer's to invite again."""
    user = await change.find(User, key)
    if user is None or user.last_login_at is not None or not user.must_change_password or user.archived_at is not None:
        return None
    held = await grants_of(change.session, user.id)
    return user if held.keys() <= policy.GRANTABLE[change.viewer.role] else None


@writes("userArchive")
async def archive(change: Change, *, id: str) -> int:
    """Ends an account: every sign-in, link and allocation. The name stays in what the person took part in.

    Their aims stay as they are until aimUpdate gives them to somebody else. Refuses with NOT_FOUND, NOT_ALLOWED, and
    CONFLICT for the viewer's own account and that of the last Master Admin.
    """
    user = await change.get(User, id, "id")
    change.allow()
    if user.archived_at is not None:
        return user.id
    held = await grants_of(change.session, user.id)
    if user.id == change.viewer.user_key:
        change.fault(UserErrorCode.CONFLICT, "You cannot archive yourself; another Master Admin can.", "id")
    elif Role.MASTER_ADMIN in held and await is_last_master_admin(change.session, user):
        change.fault(UserErrorCode.CONFLICT, "Nobody else is a Master Admin. Give somebody else the role first.", "id")
    change.check()
    user.archived_at = change.now
    await end_sign_ins(change.session, user.id, change.now, "account archived")
    await end_links(change.session, user.id, change.now)
    await end_allocations(change.session, user.id, *Role)
    change.record("User", user.id)
    return user.id
