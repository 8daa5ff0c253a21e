"""Login, refresh, logout and the switch to another role. Each sets the viewer of the rest of the operation."""

from auth.auth_sessions import (
    account_by_user,
    account_by_username,
    end_session,
    session_by_refresh_token,
    use_refresh_token,
)
from auth.credentials import verify_password
from auth.tokens import digest
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import reject
from resolvers.authentication.tokens import Tokens, issue_tokens, start_session
from resolvers.core.context import Context
from resolvers.core.write_transaction import account_transaction


async def login(context: Context, *, username: str, password: str, role: Role | None = None) -> Tokens:
    """Starts an authentication session.

    Rejects an unknown username, a wrong password and an archived account with the same error in the same time.
    """
    wrong = reject(UserErrorCode.WRONG_PASSWORD, "The username or the password is wrong.", "input")
    if not await verify_password(context.services.database, context.client.address, username, password, "input"):
        raise wrong
    async with account_transaction(context, "login") as transaction:
        account = await account_by_username(transaction.session, username)
        if account is None:
            raise wrong
        chosen = account.role(role)
        if chosen is None:
            raise reject(UserErrorCode.NOT_ALLOWED, "You do not have that role. Choose another.", "input", "role")
        account.user.last_login_at = transaction.now
        tokens, claims = await start_session(transaction, account.user, chosen)
        transaction.audit(account.user.provider_id, account.user.id, chosen)
    await context.set_viewer(claims)
    return tokens


async def token_refresh(context: Context, *, refresh_token: str) -> Tokens:
    """Returns new tokens for a refresh token, once. A second use ends the authentication session."""
    async with account_transaction(context, "tokenRefresh") as transaction:
        known = await session_by_refresh_token(transaction.session, digest(refresh_token))
        account = await account_by_user(transaction.session, known.user_id) if known else None
        auth_session = await use_refresh_token(transaction.session, digest(refresh_token), transaction.now)
        tokens = None
        if auth_session is not None and account is not None and auth_session.role in account.roles:
            tokens, claims = issue_tokens(transaction, auth_session)
    # Outside of the transaction: the end of a session after a second use is committed, too.
    if tokens is None:
        message = "This refresh token is no longer valid. Sign in again."
        raise reject(UserErrorCode.INVALID, message, "refreshToken")
    await context.set_viewer(claims)
    return tokens


async def logout(context: Context, *, refresh_token: str) -> None:
    """Ends the authentication session of a refresh token, with its tokens and streams. Repeating it changes nothing."""
    async with account_transaction(context, "logout") as transaction:
        auth_session = await session_by_refresh_token(transaction.session, digest(refresh_token))
        if auth_session is None:
            return
        await end_session(transaction.session, auth_session.id, transaction.now, "logout")
        user = await transaction.session.get_one(User, auth_session.user_id)
        transaction.audit(user.provider_id, user.id, auth_session.role)
        transaction.end_streams(user.provider_id)
    context.invalidate_loaders()


async def role_switch(context: Context, *, role: Role) -> Tokens:
    """Ends the authentication session in the old role, and starts one in another role that the user holds."""
    viewer = context.viewer_or_raise()
    async with account_transaction(context, "roleSwitch") as transaction:
        account = await account_by_user(transaction.session, viewer.user_key)
        if account is None or role not in account.roles:
            raise reject(UserErrorCode.NOT_ALLOWED, "You do not have that role. Choose another.", "role")
        await end_session(transaction.session, viewer.auth_session_key, transaction.now, "role switched")
        tokens, claims = await start_session(transaction, account.user, role)
        transaction.audit(account.user.provider_id, account.user.id, role)
    await context.set_viewer(claims)
    return tokens
