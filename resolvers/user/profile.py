"""Corrects names and e-mail addresses of users, and sends invitations that were not used again."""

from collections.abc import Collection
from dataclasses import replace
from typing import TypedDict, Unpack

from db.models.learner import Learner
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.sentences import say
from repositories.learner import learner_key_of_user
from repositories.user import grants_of_user, pending_email
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import single_line
from resolvers.rules.user import USER, UserState, corrects
from resolvers.user.email_change import parse_email, request_email_change
from resolvers.user.invitation import UserChange, is_open_invitation, main_role, send_invitation


class UserChanges(TypedDict, total=False):
    """The changes of a user: what is missing or None is not changed."""

    name: str | None
    email: str | None


@mutation("userUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[UserChanges]) -> UserChange:
    """Changes a name at once, and an e-mail address once the new one is confirmed. Everybody may change their own name.

    Rejects with NOT_FOUND, NOT_ALLOWED for other people's accounts that the viewer may not correct, REQUIRED or INVALID
    for the fields, and CONFLICT for an address that is taken or an account that is archived.
    """
    user = await uow.get(User, id, "id")
    uow.authorize()
    roles = await grants_of_user(uow.session, user.id)
    sees = await _sees_learner(uow, user, roles)
    uow.require(USER, UserState(user.id), archived=user.archived_at is not None, roles=roles, sees_learner=sees)
    name, email = changes.get("name"), changes.get("email")
    if not corrects(uow.viewer, roles, sees) and email is not None:
        message = say("OWN_EMAIL")
        uow.add_error(UserErrorCode.NOT_ALLOWED, message, "input", "email")
        uow.raise_errors()
    if name is not None:
        name = single_line(uow, name, "input", "name")
    new_email = None if email is None else await parse_email(uow, user, email, "input", "email")
    uow.raise_errors()
    changed = ["name"] * (name not in (None, user.name)) + ["email"] * (new_email is not None)
    if name is not None:
        user.name = name
    if new_email is not None:
        await request_email_change(uow, user, new_email)
    own = await learner_key_of_user(uow.session, user.id)
    if changed:
        uow.audit("User", user.id, learner_id=own, fields=changed)
        if user.id == uow.viewer.user_key:
            # The payload shows the viewer too.
            uow.context.viewer = replace(uow.viewer, name=user.name)
    return {"key": user.id, "learners": [] if own is None else [own]}


@mutation("invitationResend")
async def invitation_resend(uow: UnitOfWork, *, user_id: str) -> int:
    """Sends a new invitation to a person who has not used theirs, and revokes the earlier link.

    Rejects with NOT_FOUND, NOT_ALLOWED, CONFLICT where they have signed in or are archived, and TOO_MANY_ATTEMPTS.
    """
    user = await uow.get(User, user_id, "userId")
    roles = await grants_of_user(uow.session, user.id)
    uow.require(
        USER, UserState(user.id), archived=user.archived_at is not None, invited=is_open_invitation(user), roles=roles,
        sees_learner=await _sees_learner(uow, user, roles),
    )  # fmt: skip
    role = main_role(roles)
    await send_invitation(uow, user, role, await pending_email(uow.session, user.id))
    uow.audit("User", user.id, learner_id=await learner_key_of_user(uow.session, user.id))
    return user.id


async def _sees_learner(uow: UnitOfWork, user: User, held: Collection[Role]) -> bool:
    """Returns whether the viewer sees the user's learner record; only an assessor may not see one of the provider's."""
    if uow.viewer.role is not Role.ASSESSOR or Role.LEARNER not in held:
        return True
    key = await learner_key_of_user(uow.session, user.id)
    return await uow.get_or_none(Learner, key, locked=False) is not None
