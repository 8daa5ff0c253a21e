"""Confirms a new e-mail address through the link that was sent to it."""

from auth.auth_sessions import account_by_user, use_one_time_token, user_of_one_time_token
from auth.tokens import digest
from db.models.user import User
from domain.enums import UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.user import use_of_username
from resolvers.authentication.tokens import EMAIL
from resolvers.core.context import Client, Context, Services
from resolvers.core.write_transaction import AccountTransaction, account_transaction


async def confirm_from_page(services: Services, token: str, client: Client) -> None:
    """Makes the address to which the link was sent that of its account.

    Rejects with INVALID for a link that has expired or was used, and CONFLICT where another account has the address.
    """
    context = Context(services, client=client)
    async with account_transaction(context, "emailConfirm") as transaction:
        token_sha256 = digest(token)
        # The user is locked before the token, as everywhere.
        sent_to = await user_of_one_time_token(transaction.session, token_sha256)
        account = await account_by_user(transaction.session, sent_to.user_id) if sent_to else None
        used = await use_one_time_token(transaction.session, token_sha256, transaction.now, EMAIL)
        if sent_to is None or account is None or not used:
            message = say("INVITATION_LINK_EXPIRED")
            raise reject(UserErrorCode.INVALID, message, "token")
        await take_new_email(transaction, account.user, sent_to.new_email)
        transaction.audit(account.user.provider_id, account.user.id, None)


async def take_new_email(transaction: AccountTransaction, user: User, email: str | None) -> None:
    """Makes a confirmed address the user's, and their username where that was the old address; None changes nothing."""
    if email is None:
        return
    username = email.lower()
    use = await use_of_username(transaction.session, user.provider_id, username)
    if use.user_key not in (None, user.id):
        message = say("EMAIL_TAKEN_MEANWHILE")
        raise reject(UserErrorCode.CONFLICT, message, "token")
    if user.username == user.email.lower():
        user.username = username
    user.email = email
