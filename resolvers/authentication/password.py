"""Changes a password for its owner, or resets it through a link in an e-mail."""

import asyncio
from weakref import WeakValueDictionary

from auth.auth_sessions import (
    account_by_user,
    end_sessions,
    owner_of_one_time_token,
    use_one_time_token,
    user_of_one_time_token,
)
from auth.credentials import verify_viewer_password
from auth.passwords import hash_password, password_weakness
from auth.second_factor import second_factor_of
from auth.tokens import AccessClaims, digest
from auth.viewer import NotSignedIn
from db.models.user import User
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import reject
from domain.sentences import say
from repositories.user import revoke_tokens
from resolvers.authentication.email import take_new_email
from resolvers.authentication.login import logout
from resolvers.authentication.tokens import INVITATION, RESET, NoTokens, Tokens, start_session
from resolvers.core.context import Client, Context, Services
from resolvers.core.write_transaction import AccountTransaction, account_transaction
from services.mail.messages import password_changed

# By the SHA-256 of a link's token: the locks of the resets that run.
_resets: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def change(context: Context, *, current_password: str, new_password: str) -> Tokens:
    """Changes the viewer's password. Their authentication sessions end, and the viewer gets the tokens of a new one."""
    viewer, database = context.viewer_or_raise(), context.services.database
    field = ("input", "currentPassword")
    stored = await verify_viewer_password(database, viewer, current_password, *field)
    if stored is None:
        raise reject(UserErrorCode.WRONG_PASSWORD, say("CURRENT_PASSWORD_WRONG"), *field)
    if new_password == current_password:
        message = say("PASSWORD_UNCHANGED")
        raise reject(UserErrorCode.INVALID, message, "input", "newPassword")
    await _check_strength(new_password, viewer.username, viewer.name, provider=viewer.provider_name)
    hashed = await hash_password(new_password, stored)
    async with account_transaction(context, "passwordChange") as transaction:
        account = await account_by_user(transaction.session, viewer.user_key)
        if account is None:
            raise NotSignedIn
        user = account.user
        await _set_password(transaction, user, hashed, "password changed")
        tokens, claims = await start_session(transaction, user, viewer.role)
        transaction.audit(user.provider_id, user.id, viewer.role)
    await context.set_viewer(claims)
    return tokens


async def reset(context: Context, *, token: str, new_password: str) -> Tokens | NoTokens:
    """Sets a new password with the token of a link, once. Other authentication sessions end; the user is signed in.

    A user with a second factor is not: a thief who reads their e-mail would get in without the factor.
    """
    token_sha256 = digest(token)
    # One reset of a link at a time: of many at once, the first one uses the link up, and the others cost no hash.
    async with _resets.setdefault(token_sha256, asyncio.Lock()):
        started = await _reset(context, token_sha256, new_password)
    if started is None:
        return NoTokens()
    tokens, claims = started
    await context.set_viewer(claims)
    return tokens


async def _reset(context: Context, token_sha256: str, new_password: str) -> tuple[Tokens, AccessClaims] | None:
    invalid = reject(UserErrorCode.INVALID, say("RESET_LINK_EXPIRED"), "input", "token")
    # Checked before the password is rated and hashed, both of which are slow, so that strangers cannot cause that work.
    database = context.services.database
    owner = await owner_of_one_time_token(database, token_sha256, clock.now(), INVITATION, RESET)
    if owner is None:
        raise invalid
    # Before the transaction: others would wait for its locks.
    await _check_strength(new_password, owner.username, owner.name, provider=owner.provider)
    hashed = await hash_password(new_password, owner.password_hash)
    async with account_transaction(context, "passwordReset") as transaction:
        # The user is locked before the token, as everywhere: two links that are used at once would wait for each other.
        sent_to = await user_of_one_time_token(transaction.session, token_sha256)
        account = await account_by_user(transaction.session, sent_to.user_id) if sent_to else None
        role = account.role(None) if account else None
        if sent_to is None or account is None or role is None:
            raise invalid
        if not await use_one_time_token(transaction.session, token_sha256, transaction.now, INVITATION, RESET):
            raise invalid
        user = account.user
        await take_new_email(transaction, user, sent_to.new_email)
        await _set_password(transaction, user, hashed, "password reset")
        transaction.audit(user.provider_id, user.id, role)
        factor = await second_factor_of(transaction.session, user.id)
        if factor is not None and factor.confirmed_at is not None:
            return None
        user.last_login_at = transaction.now
        return await start_session(transaction, user, role)


async def reset_from_page(services: Services, token: str, new_password: str, client: Client) -> None:
    """Sets a new password from the page that the link opens, without signing the user in. Rejects as `reset` does."""
    context = Context(services, client=client)
    tokens = await reset(context, token=token, new_password=new_password)
    if tokens.refresh_token is not None:
        await logout(context, refresh_token=tokens.refresh_token)


async def _set_password(transaction: AccountTransaction, user: User, hashed: str, reason: str) -> None:
    """Sets the password of a locked user. Their sessions, invitations and reset links end, and they get an e-mail."""
    user.password_hash, user.must_change_password, user.has_password = hashed, False, True
    await end_sessions(transaction.session, user.id, transaction.now, reason)
    await revoke_tokens(transaction.session, user.id, transaction.now)
    transaction.send_mail(user, password_changed(name=user.name, username=user.username, at=transaction.now))
    transaction.end_streams(user.provider_id)


async def _check_strength(password: str, *own_words: str, provider: str) -> None:
    if weakness := await password_weakness(password, *own_words, provider=provider):
        raise reject(UserErrorCode.INVALID, weakness, "input", "newPassword")
