"""Sends a code by e-mail to a viewer without a password, which replaces the password of one signature."""

from auth.auth_sessions import account_by_user
from auth.signing_code import LIFETIME, MAX_CODES, count_recent_codes, store_code
from auth.viewer import NotSignedIn
from domain.enums import UserErrorCode
from domain.errors import DomainError, reject
from domain.sentences import say
from resolvers.core.context import Context
from resolvers.core.write_transaction import account_transaction
from resolvers.rules.viewer import VIEWER
from services.mail.code_messages import signing_code


async def request(context: Context) -> str:
    """Sends a code, valid for 10 minutes in this session. Returns where to, as a hint such as m…@example.org.

    Rejects with INVALID where the viewer has a password, and with TOO_MANY_ATTEMPTS after 5 codes in an hour.
    """
    viewer = context.viewer_or_raise()
    if refused := VIEWER.errors("signingCodeRequest", viewer, viewer):
        raise DomainError(*refused)
    async with account_transaction(context, "signingCodeRequest") as transaction:
        account = await account_by_user(transaction.session, viewer.user_key)
        if account is None:
            raise NotSignedIn
        user = account.user
        if await count_recent_codes(transaction.session, user.id, transaction.now) >= MAX_CODES:
            message = say("TOO_MANY_SIGNING_CODES", most=MAX_CODES)
            raise reject(UserErrorCode.TOO_MANY_ATTEMPTS, message)
        made, tokens = transaction.services.one_time_secrets.new_code(user.email), transaction.services.tokens
        await store_code(transaction.session, tokens, viewer, made.secret, transaction.now)
        mail = signing_code(name=user.name, code=made.reference, valid_until=transaction.now + LIFETIME)
        transaction.send_mail(user, mail)
        transaction.audit(user.provider_id, user.id, viewer.role)
    local, _, domain = user.email.rpartition("@")
    return f"{local[:1]}…@{domain}"
