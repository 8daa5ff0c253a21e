"""Passwords are changed by their owner, or reset through a link in an e-mail."""

import asyncio
import datetime as dt
from weakref import WeakValueDictionary

from auth.auth_sessions import (
    account_by_user,
    account_by_username,
    count_recent_one_time_tokens,
    end_sessions,
    owner_of_one_time_token,
    use_one_time_token,
)
from auth.credentials import verify_password
from auth.passwords import hash_password, password_weakness
from auth.tokens import AccessClaims, digest, new_secret
from auth.viewer import NotSignedIn
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import reject
from resolvers.authentication.login import logout
from resolvers.authentication.tokens import Tokens, one_time_token, start_session
from resolvers.core.context import Client, Context, Services
from resolvers.core.write_transaction import account_transaction
from services.mail.messages import password_changed, password_reset

RESET_LIFETIME = dt.timedelta(hours=2)
_MAX_RESETS_PER_HOUR = 5
# By the SHA-256 of a link's token: the locks of the resets that run.
_resets: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def change(context: Context, *, current_password: str, new_password: str) -> Tokens:
    """Changes the viewer's password. Their authentication sessions end, and the viewer gets the tokens of a new one."""
    viewer, database = context.viewer_or_raise(), context.services.database
    field = ("input", "currentPassword")
    if not await verify_password(database, context.client.address, viewer.username, current_password, *field):
        raise reject(UserErrorCode.WRONG_PASSWORD, "This is not your current password.", *field)
    if new_password == current_password:
        message = "Choose a password that differs from the current one."
        raise reject(UserErrorCode.INVALID, message, "input", "newPassword")
    await _check_strength(new_password, viewer.username, viewer.name)
    hashed = await hash_password(new_password)
    async with account_transaction(context, "passwordChange") as transaction:
        account = await account_by_user(transaction.session, viewer.user_key)
        if account is None:
            raise NotSignedIn
        user = account.user
        user.password_hash, user.must_change_password = hashed, False
        await end_sessions(transaction.session, user.id, transaction.now, "password changed")
        tokens, claims = await start_session(transaction, user, viewer.role)
        transaction.send_mail(user, password_changed(name=user.name, username=user.username, at=transaction.now))
        transaction.audit(user.provider_id, user.id, viewer.role)
        transaction.end_streams(user.provider_id)
    await context.set_viewer(claims)
    return tokens


async def reset_request(context: Context, *, username: str) -> None:
    """Sends a link by e-mail, if there is such an account; the result does not say whether there is."""
    async with account_transaction(context, "passwordResetRequest") as transaction:
        account = await account_by_username(transaction.session, username)
        if account is None:
            return
        user, an_hour_ago = account.user, transaction.now - dt.timedelta(hours=1)
        if await count_recent_one_time_tokens(transaction.session, user.id, an_hour_ago) >= _MAX_RESETS_PER_HOUR:
            return
        secret = new_secret()
        transaction.session.add(one_time_token(user, "reset", secret, transaction.now, RESET_LIFETIME))
        mail = password_reset(
            name=user.name,
            username=user.username,
            link=f"{context.services.base_url}/password?token={secret}",
            good_until=transaction.now + RESET_LIFETIME,
        )
        transaction.send_mail(user, mail)
        transaction.audit(user.provider_id, user.id, None)


async def reset(context: Context, *, token: str, new_password: str) -> Tokens:
    """Sets a new password with the token of a link, once. Other authentication sessions end; the user is signed in."""
    token_sha256 = digest(token)
    # One reset of a link at a time: of many at once, the first one uses the link up, and the others cost no hash.
    async with _resets.setdefault(token_sha256, asyncio.Lock()):
        tokens, claims = await _reset(context, token_sha256, new_password)
    await context.set_viewer(claims)
    return tokens


async def _reset(context: Context, token_sha256: str, new_password: str) -> tuple[Tokens, AccessClaims]:
    invalid = reject(
        UserErrorCode.INVALID, "This link has expired or was already used. Request a new one.", "input", "token"
    )
    # Checked before the password is rated and hashed, both of which are slow, so that strangers cannot cause that work.
    owner = await owner_of_one_time_token(context.services.database, token_sha256, clock.now())
    if owner is None:
        raise invalid
    # Before the transaction: others would wait for its locks.
    await _check_strength(new_password, *owner)
    hashed = await hash_password(new_password)
    async with account_transaction(context, "passwordReset") as transaction:
        used = await use_one_time_token(transaction.session, token_sha256, transaction.now)
        account = await account_by_user(transaction.session, used.user_id) if used else None
        role = account.role(None) if account else None
        if account is None or role is None:
            raise invalid
        user = account.user
        user.password_hash, user.must_change_password = hashed, False
        user.last_login_at = transaction.now
        await end_sessions(transaction.session, user.id, transaction.now, "password reset")
        tokens, claims = await start_session(transaction, user, role)
        transaction.audit(user.provider_id, user.id, role)
        transaction.end_streams(user.provider_id)
    return tokens, claims


async def reset_from_page(services: Services, token: str, new_password: str, client: Client) -> None:
    """Sets a new password from the page that the link opens, without signing the user in. Rejects as `reset` does."""
    context = Context(services, client=client)
    tokens = await reset(context, token=token, new_password=new_password)
    await logout(context, refresh_token=tokens.refresh_token)


async def _check_strength(password: str, *own_words: str) -> None:
    if weakness := await password_weakness(password, *own_words):
        raise reject(UserErrorCode.INVALID, weakness, "input", "newPassword")
