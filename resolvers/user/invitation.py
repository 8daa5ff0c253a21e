"""Invites people: creates an account, whose owner chooses the password through a link in an e-mail."""

import datetime as dt
from collections.abc import Collection
from typing import TypedDict

from auth.auth_sessions import count_recent_one_time_tokens
from auth.passwords import unusable_password_hash
from db.models.provider import Provider
from db.models.user import RoleGrant, User
from domain.enums import Role, UserErrorCode
from domain.errors import reject
from domain.sentences import say
from domain.text import clean_line
from loaders.user_state import UserStateRow
from repositories.user import grants_of_user, revoke_tokens
from resolvers.authentication.tokens import INVITATION, one_time_token
from resolvers.core.labels import ROLE
from resolvers.core.separation_of_duties import require_not_self, roles_fit
from resolvers.core.unit_of_work import UnitOfWork
from services.mail.messages import BadAddress, person_address, welcome

INVITATION_LIFETIME = dt.timedelta(days=7)
MAX_LINKS_PER_HOUR = 5
_MAX_EMAIL_LENGTH = 254


def parse_username(uow: UnitOfWork, email: str, *field: str) -> str:
    """Returns the username for an e-mail address: the address in lower case. Records REQUIRED or INVALID."""
    email = clean_line(email)
    try:
        if not email:
            message = say("EMAIL_MISSING")
            uow.add_error(UserErrorCode.REQUIRED, message, *field)
        elif len(email) > _MAX_EMAIL_LENGTH:
            raise BadAddress
        else:
            person_address(email)
    except BadAddress:
        message = say("EMAIL_INVALID")
        uow.add_error(UserErrorCode.INVALID, message, *field)
    return email.lower()


def add_email_taken(uow: UnitOfWork, *field: str) -> None:
    """Records that an account of the training provider has this e-mail, in the same words for every account."""
    message = say("EMAIL_TAKEN")
    uow.add_error(UserErrorCode.CONFLICT, message, *field)


class UserChange(TypedDict):
    """The keys of a user, and of the learners whom the change of the user concerns."""

    key: int
    learners: list[int]


async def create_user(
    uow: UnitOfWork, name: str, email: str, username: str, role: Role, same_username: str | None
) -> User:
    """Adds a user in one role, with a random password, and sends the invitation.

    `same_username`: a password hash of an account with this username at another training provider.
    """
    user = User(
        provider_id=uow.viewer.provider_key,
        username=username,
        name=name,
        email=clean_line(email),
        password_hash=await unusable_password_hash(same_username),
        must_change_password=True,
        has_password=False,
        created_at=uow.now,
    )
    uow.session.add(user)
    await uow.session.flush()
    await add_role(uow, user, role, is_new=True)
    await send_invitation(uow, user, role)
    return user


async def add_role(uow: UnitOfWork, user: User, role: Role, *field: str, is_new: bool = False) -> bool:
    """Adds a role to those that a user holds, whom the caller has locked. Returns False if they hold it already.

    Rejects with NOT_ALLOWED for the viewer themself, and CONFLICT at `field` where a role of the user excludes it.
    """
    require_not_self(uow, user, "OWN_ROLE")
    held = {} if is_new else await grants_of_user(uow.session, user.id)
    if role not in held:
        uow.add_errors(roles_fit(held, role, *field))
    uow.raise_errors()
    if role in held:
        return False
    uow.session.add(
        RoleGrant(
            provider_id=user.provider_id,
            user_id=user.id,
            role=role,
            granted_by_id=uow.viewer.user_key,
            granted_at=uow.now,
        )
    )
    return True


def is_open_invitation(user: User | UserStateRow) -> bool:
    """Returns whether a person was invited and has not used an invitation yet."""
    return user.last_login_at is None and user.must_change_password and user.archived_at is None


def main_role(roles: Collection[Role]) -> Role:
    """Returns the role that an invitation names of those that a user holds."""
    return next(role for role in reversed(Role) if role in roles)


async def send_invitation(uow: UnitOfWork, user: User, role: Role, new_email: str | None = None) -> None:
    """Sends the welcome e-mail with a link to choose a password, and revokes earlier links.

    `new_email`: an address that becomes the user's once the link is used; the invitation is sent to it. Rejects with
    TOO_MANY_ATTEMPTS after five links in an hour.
    """
    sent = await count_recent_one_time_tokens(uow.session, user.id, uow.now - dt.timedelta(hours=1))
    if sent >= MAX_LINKS_PER_HOUR:
        message = say("TOO_MANY_LINKS")
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message, "input")
    await revoke_tokens(uow.session, user.id, uow.now)
    one_time = uow.services.one_time_secrets.new(new_email or user.email)
    token = one_time_token(user, INVITATION, one_time.secret, uow.now, INVITATION_LIFETIME, new_email)
    uow.session.add(token)
    provider = await uow.session.get_one(Provider, user.provider_id)
    mail = welcome(
        name=user.name,
        username=user.username if new_email is None or user.username != user.email.lower() else new_email.lower(),
        provider=provider.name,
        role=ROLE[role],
        link=f"{uow.services.base_url}/password?token={one_time.reference}",
        valid_until=uow.now + INVITATION_LIFETIME,
    )
    uow.send_mail(new_email or user.email, mail)
