"""Invitations: a login made for somebody, and the link by e-mail with which they choose their password."""

import datetime as dt

from auth.auth_sessions import count_recent_one_time_tokens
from auth.passwords import unusable_password_hash
from auth.tokens import new_secret
from db.models.provider import Provider
from db.models.user import RoleGrant, User
from domain.enums import Role, UserErrorCode
from domain.errors import reject
from repositories.people import revoke_tokens
from resolvers.core.unit_of_work import UnitOfWork
from resolvers.exports.labels import ROLE
from resolvers.password import one_time_token
from services.mail.messages import BadAddress, address, welcome

INVITATION_LIFETIME = dt.timedelta(days=7)
_MOST_AN_HOUR = 5
_LONGEST_EMAIL = 254


def username_of(uow: UnitOfWork, email: str, *field: str) -> str:
    """The username that goes with an e-mail: the address in lower case; notes REQUIRED or INVALID."""
    email = email.strip()
    try:
        if not email:
            uow.add_error(UserErrorCode.REQUIRED, "Give an e-mail address: the invitation goes there.", *field)
        elif len(email) > _LONGEST_EMAIL:
            raise BadAddress
        else:
            address(email)
    except BadAddress:
        uow.add_error(UserErrorCode.INVALID, "This is not an e-mail address. Write it like name@example.org.", *field)
    return email.lower()


def taken(uow: UnitOfWork, *field: str) -> None:
    """Notes that there is a login of that name: the same words wherever it is, and whoever it belongs to."""
    uow.add_error(
        UserErrorCode.CONFLICT,
        "There is a login with this e-mail already: choose another e-mail. Somebody who has a login here is given a "
        "further role with roleGrant.",
        *field,
    )


async def make_login(uow: UnitOfWork, name: str, email: str, username: str, role: Role) -> User:
    """A login in one role, with a password that nobody knows, and its invitation."""
    user = User(
        provider_id=uow.viewer.provider_key,
        username=username,
        name=name,
        email=email.strip(),
        password_hash=await unusable_password_hash(),
        must_change_password=True,
        created_at=uow.now,
    )
    uow.session.add(user)
    await uow.session.flush()
    grant_role(uow, user, role)
    await send_invitation(uow, user, role)
    return user


def grant_role(uow: UnitOfWork, user: User, role: Role) -> None:
    """Adds a role to those that a user holds."""
    uow.session.add(
        RoleGrant(
            provider_id=user.provider_id,
            user_id=user.id,
            role=role,
            granted_by_id=uow.viewer.user_key,
            granted_at=uow.now,
        )
    )


async def send_invitation(uow: UnitOfWork, user: User, role: Role) -> None:
    """Sends the welcome with a link that lets the person choose a password once; links sent before end.

    Refuses with TOO_MANY_ATTEMPTS before a mailbox is flooded.
    """
    sent = await count_recent_one_time_tokens(uow.session, user.id, uow.now - dt.timedelta(hours=1))
    if sent >= _MOST_AN_HOUR:
        message = "Several links were sent to this person just now. Try again in an hour."
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message, "input")
    await revoke_tokens(uow.session, user.id, uow.now)
    secret = new_secret()
    uow.session.add(one_time_token(user, "invitation", secret, uow.now, INVITATION_LIFETIME))
    provider = await uow.session.get_one(Provider, user.provider_id)
    mail = welcome(
        name=user.name,
        username=user.username,
        provider=provider.name,
        role=ROLE[role],
        link=f"{uow.services.base_url}/password?token={secret}",
        good_until=uow.now + INVITATION_LIFETIME,
    )
    uow.send_mail(user.email, mail)
