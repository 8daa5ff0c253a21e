"""Changes a user's e-mail address: it counts once a link that is sent to the new address has been opened."""

import datetime as dt

from auth.auth_sessions import count_recent_one_time_tokens
from db.models.provider import Provider
from db.models.user import User
from domain.enums import UserErrorCode
from domain.errors import reject
from domain.sentences import say
from domain.text import clean_line
from repositories.user import grants_of_user, revoke_tokens, use_of_username
from resolvers.authentication.tokens import EMAIL, one_time_token
from resolvers.core.unit_of_work import UnitOfWork
from resolvers.user.invitation import (
    INVITATION_LIFETIME,
    MAX_LINKS_PER_HOUR,
    add_email_taken,
    is_open_invitation,
    main_role,
    parse_username,
    send_invitation,
)
from services.mail.messages import email_change_requested, email_confirmation


async def parse_email(uow: UnitOfWork, user: User, email: str, *field: str) -> str | None:
    """Returns the new address, or None where it is the user's address already; records errors."""
    username = parse_username(uow, email, *field)
    if username == user.email.lower():
        return None
    if (await use_of_username(uow.session, user.provider_id, username)).user_key not in (None, user.id):
        add_email_taken(uow, *field)
    return clean_line(email)


async def request_email_change(uow: UnitOfWork, user: User, new_email: str) -> None:
    """Sends the link that confirms the new address, notifies the old one, and revokes the links sent to it.

    A person who has never signed in gets the invitation at the new address instead, which confirms it too. Rejects with
    TOO_MANY_ATTEMPTS after five links in an hour.
    """
    provider = await uow.session.get_one(Provider, user.provider_id)
    notice = email_change_requested(name=user.name, provider=provider.name)
    if is_open_invitation(user):
        role = main_role(await grants_of_user(uow.session, user.id))
        await send_invitation(uow, user, role, new_email)
        uow.send_mail(user.email, notice)
        return
    sent = await count_recent_one_time_tokens(uow.session, user.id, uow.now - dt.timedelta(hours=1))
    if sent >= MAX_LINKS_PER_HOUR:
        message = say("TOO_MANY_LINKS")
        raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message, "input", "email")
    await revoke_tokens(uow.session, user.id, uow.now)
    one_time = uow.services.one_time_secrets.new(new_email)
    uow.session.add(one_time_token(user, EMAIL, one_time.secret, uow.now, INVITATION_LIFETIME, new_email))
    confirmation = email_confirmation(
        name=user.name, provider=provider.name, link=f"{uow.services.base_url}/email?token={one_time.reference}",
        valid_until=uow.now + INVITATION_LIFETIME,
    )  # fmt: skip
    uow.send_mail(new_email, confirmation)
    uow.send_mail(user.email, notice)
