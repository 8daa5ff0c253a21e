"""Names and e-mail addresses of users are corrected, and invitations that were not used are sent again."""

from typing import TypedDict, Unpack

from db.models.learner import Learner
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import not_allowed, reject
from repositories.learner import learner_key_of_user
from repositories.user import grants_of_user, pending_email
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import single_line
from resolvers.user.email_change import parse_email, request_email_change
from resolvers.user.invitation import is_open_invitation, main_role, send_invitation

_ALL = frozenset(Role)
# Whose names and addresses each role may change: people who hold none but these roles.
_CORRECTED_BY = {
    Role.ASSESSOR: frozenset({Role.LEARNER}),
    Role.BASIC_ADMIN: frozenset({Role.EMPLOYER_MANAGER, Role.LEARNER}),
    Role.MASTER_ADMIN: _ALL,
}
# The same for invitations.
_INVITED_BY = {**_CORRECTED_BY, Role.ASSESSOR: _CORRECTED_BY[Role.BASIC_ADMIN]}


class UserChanges(TypedDict, total=False):
    """The changes of a user: what is missing or None is not changed."""

    name: str | None
    email: str | None


@mutation("userUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[UserChanges]) -> int:
    """Changes a name at once, and an e-mail address once the new one is confirmed. Everybody may change their own name.

    Rejects with NOT_FOUND, NOT_ALLOWED for other people's accounts that the viewer may not correct, REQUIRED or INVALID
    for the fields, and CONFLICT for an address that is taken or an account that is archived.
    """
    user = await uow.get(User, id, "id")
    uow.authorize()
    may_correct = await corrects(uow, user)
    name, email = changes.get("name"), changes.get("email")
    if not may_correct and user.id != uow.viewer.user_key:
        raise not_allowed("You cannot change this person's account. Ask a Master Admin to do it.", "id")
    if not may_correct and email is not None:
        message = "You cannot change this e-mail address yourself. Ask your training provider to do it."
        uow.add_error(UserErrorCode.NOT_ALLOWED, message, "input", "email")
        uow.raise_errors()
    _check_active(user)
    if name is not None:
        name = single_line(uow, name, "input", "name")
    new_email = None if email is None else await parse_email(uow, user, email, "input", "email")
    uow.raise_errors()
    changed = ["name"] * (name not in (None, user.name)) + ["email"] * (new_email is not None)
    if name is not None:
        user.name = name
    if new_email is not None:
        await request_email_change(uow, user, new_email)
    if changed:
        uow.audit("User", user.id, learner_id=await learner_key_of_user(uow.session, user.id), fields=changed)
    return user.id


@mutation("invitationResend")
async def invitation_resend(uow: UnitOfWork, *, user_id: str) -> int:
    """Sends a new invitation to a person who has not used theirs, and revokes the earlier link.

    Rejects with NOT_FOUND, NOT_ALLOWED, CONFLICT where they have signed in or are archived, and TOO_MANY_ATTEMPTS.
    """
    user = await uow.get(User, user_id, "userId")
    uow.authorize(await _holds_only(uow, user, _INVITED_BY.get(uow.viewer.role, frozenset())))
    _check_active(user, "userId")
    if not is_open_invitation(user):
        message = "This person has signed in already. They can request a new password on the sign-in page."
        raise reject(UserErrorCode.CONFLICT, message, "userId")
    role = main_role(await grants_of_user(uow.session, user.id))
    await send_invitation(uow, user, role, await pending_email(uow.session, user.id))
    uow.audit("User", user.id, learner_id=await learner_key_of_user(uow.session, user.id))
    return user.id


async def corrects(uow: UnitOfWork, user: User) -> bool:
    """Returns whether the viewer may change the name and the e-mail address of another user."""
    return await _holds_only(uow, user, _CORRECTED_BY.get(uow.viewer.role, frozenset()))


async def _holds_only(uow: UnitOfWork, user: User, roles: frozenset[Role]) -> bool:
    """Returns whether a user holds none but these roles; an assessor's learner must be of their case."""
    held = (await grants_of_user(uow.session, user.id)).keys()
    if not held <= roles:
        return False
    if uow.viewer.role is Role.ASSESSOR and Role.LEARNER in held:
        key = await learner_key_of_user(uow.session, user.id)
        return await uow.get_or_none(Learner, key, locked=False) is not None
    return True


def _check_active(user: User, *field: str) -> None:
    if user.archived_at is not None:
        message = "This account is archived, so it cannot be changed."
        raise reject(UserErrorCode.CONFLICT, message, *(field or ("id",)))
