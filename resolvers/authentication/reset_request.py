"""Requests for a link to choose a new password.

The mutation only stores the request, so that it does the same for a username that exists and for one that does not. The
mail sender's loop then creates the links.
"""

import datetime as dt

from auth.auth_sessions import account_by_user, active_users_by_username, count_recent_one_time_tokens
from auth.reset_requests import (
    count_recent_requests,
    lock_unhandled_request,
    unhandled_requests,
)
from db.models.auth_session import PasswordResetRequest
from db.models.provider import Provider
from domain.enums import UserErrorCode
from domain.errors import reject
from domain.network import network_of
from domain.sentences import say
from resolvers.authentication.tokens import RESET, one_time_token
from resolvers.core.context import Client, Context, Services
from resolvers.core.write_transaction import AccountTransaction, account_transaction
from services.mail.messages import password_reset

RESET_LIFETIME = dt.timedelta(hours=2)
# A whole college can share one address.
MAX_REQUESTS_PER_NETWORK = 60
MAX_LINKS_PER_ACCOUNT = 5
_HOUR = dt.timedelta(hours=1)
_MAX_USERNAME_LENGTH = 254
_BATCH = 20


async def reset_request(context: Context, *, username: str) -> None:
    """Stores a request for a link; neither the result nor the time says whether there is such an account.

    Rejects with TOO_MANY_ATTEMPTS after 60 requests in an hour from one address (IPv6: from one /64 network).
    """
    network = network_of(context.client.address)
    async with account_transaction(context, "passwordResetRequest") as transaction:
        if (
            await count_recent_requests(transaction.session, network, transaction.now - _HOUR)
            >= MAX_REQUESTS_PER_NETWORK
        ):
            message = say("TOO_MANY_LINKS_FROM_NETWORK")
            raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message, "username")
        transaction.session.add(
            PasswordResetRequest(
                username=_storable(username),
                network=network,
                address=context.client.address[:60],
                request_id=context.client.request_id,
                requested_at=transaction.now,
            )
        )
        transaction.wake_mail_sender()


async def create_requested_links(services: Services) -> None:
    """Creates a link and its e-mail for each request about an account. The sweeper deletes requests after an hour.

    Each request is handled in a transaction of its own, together with the note that it was.
    """
    while keys := await unhandled_requests(services.database, _BATCH):
        for key in keys:
            await _handle(services, key)


async def _handle(services: Services, key: int) -> None:
    """Creates the links of a request: one for each account with the username, at several training providers.

    Each has a transaction of its own, because it has an event in the trail of its provider. The last one ends the
    request.
    """
    accounts: list[int] | None = None
    while accounts is None or accounts:
        async with account_transaction(Context(services), "passwordResetRequest") as transaction:
            request = await lock_unhandled_request(transaction.session, key)
            if request is None:
                return
            transaction.context.client = Client(request.address, request.request_id)
            if accounts is None:
                accounts = await active_users_by_username(transaction.session, request.username)
            user_key = accounts.pop(0) if accounts else None
            if not accounts:
                request.username, request.handled_at = "", transaction.now
            if user_key is not None:
                await _create_link(transaction, user_key)


async def _create_link(transaction: AccountTransaction, user_key: int) -> None:
    account = await account_by_user(transaction.session, user_key)
    if account is None:
        return
    user, since = account.user, transaction.now - _HOUR
    if await count_recent_one_time_tokens(transaction.session, user.id, since) >= MAX_LINKS_PER_ACCOUNT:
        return
    provider = await transaction.session.get_one(Provider, user.provider_id)
    one_time = transaction.services.one_time_secrets.new(user.email)
    transaction.session.add(one_time_token(user, RESET, one_time.secret, transaction.now, RESET_LIFETIME))
    mail = password_reset(
        name=user.name,
        username=user.username,
        provider=provider.name,
        link=f"{transaction.services.base_url}/password?token={one_time.reference}",
        valid_until=transaction.now + RESET_LIFETIME,
    )
    transaction.send_mail(user, mail)
    transaction.audit(user.provider_id, user.id, None)


def _storable(username: str) -> str:
    # No username is longer, or has such characters.
    return "".join(filter(str.isprintable, username.strip().lower()))[:_MAX_USERNAME_LENGTH]
