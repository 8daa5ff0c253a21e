"""Signing in: login, refresh, logout, switching roles. What a client gets is a `Tokens`; the context is then signed in."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from auth.auth_sessions import (
    account_by_user,
    account_by_username,
    end_session,
    session_by_refresh_token,
    use_refresh_token,
)
from auth.credentials import verify_password
from auth.tokens import REFRESH_LIFETIME, AccessClaims, digest, new_secret
from auth.viewer import read_viewer
from db.models.audit_event import AuditEvent
from db.models.auth_session import AuthSession, RefreshToken
from db.models.user import User
from domain import clock
from domain.enums import Role, UserErrorCode
from domain.errors import reject
from resolvers.core.context import Context
from services.audit.append import append

# One sign-in lasts at most so long, however often it is refreshed.
LONGEST_SIGN_IN = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A signed access token (15 minutes) and a refresh token that is good for one refresh."""

    access_token: str
    refresh_token: str


async def login(context: Context, *, username: str, password: str, role: Role | None = None) -> Tokens:
    """Signs in by name and password. Wrong name, wrong password and archived account: one refusal, in the same time."""
    wrong = reject(UserErrorCode.WRONG_PASSWORD, "The username or the password is wrong.", "input")
    if not await verify_password(context.services.database, context.client.address, username, password, "input"):
        raise wrong
    now = clock.now()
    async with context.services.database.writing() as session:
        account = await account_by_username(session, username)
        if account is None:
            raise wrong
        acting = account.role(role)
        if acting is None:
            raise reject(UserErrorCode.NOT_ALLOWED, "This login does not hold that role.", "input", "role")
        account.user.last_login_at = now
        tokens, claims = await start_session(session, context, account.user, acting, now)
        await append(session, account_event(context, account.user, acting, "login", now))
    await set_viewer(context, claims)
    return tokens


async def token_refresh(context: Context, *, refresh_token: str) -> Tokens:
    """A new pair for a refresh token, which is used up. Using one twice ends the sign-in that it came from."""
    now = clock.now()
    async with context.services.database.writing() as session:
        known = await session_by_refresh_token(session, digest(refresh_token))
        account = await account_by_user(session, known.user_id) if known else None
        sign_in = await use_refresh_token(session, digest(refresh_token), now)
        tokens = None
        if sign_in is not None and account is not None and sign_in.role in account.roles:
            tokens, claims = await issue_tokens(session, context, sign_in, now)
    if tokens is None:
        raise reject(
            UserErrorCode.INVALID,
            "This refresh token is not good any more. Sign in again.",
            "refreshToken",
        )
    await set_viewer(context, claims)
    return tokens


async def logout(context: Context, *, refresh_token: str) -> None:
    """Ends the sign-in that the refresh token came from, and with it every token and stream. Doing it twice is fine."""
    now = clock.now()
    async with context.services.database.writing() as session:
        sign_in = await session_by_refresh_token(session, digest(refresh_token))
        if sign_in is None:
            return
        await end_session(session, sign_in.id, now, "logout")
        user = await session.get_one(User, sign_in.user_id)
        await append(session, account_event(context, user, sign_in.role, "logout", now))
        await context.services.changes.notify_in_transaction(session, sign_in.provider_id, set())
    context.services.after_commit(sign_in.provider_id, set())
    context.invalidate_loaders()


async def role_switch(context: Context, *, role: Role) -> Tokens:
    """Goes on in another role that the login holds. The sign-in in the old role ends."""
    viewer, now = context.viewer_or_raise(), clock.now()
    async with context.services.database.writing() as session:
        account = await account_by_user(session, viewer.user_key)
        if account is None or role not in account.roles:
            raise reject(UserErrorCode.NOT_ALLOWED, "You do not hold that role.", "role")
        await end_session(session, viewer.auth_session_key, now, "role switched")
        tokens, claims = await start_session(session, context, account.user, role, now)
        await append(session, account_event(context, account.user, role, "roleSwitch", now))
    await set_viewer(context, claims)
    return tokens


async def start_session(
    session: AsyncSession, context: Context, user: User, role: Role, now: dt.datetime
) -> tuple[Tokens, AccessClaims]:
    """A new sign-in in one role, with its first pair of tokens."""
    sign_in = AuthSession(
        provider_id=user.provider_id, user_id=user.id, role=role, started_at=now, expires_at=now + LONGEST_SIGN_IN
    )
    session.add(sign_in)
    await session.flush()
    return await issue_tokens(session, context, sign_in, now)


async def issue_tokens(
    session: AsyncSession, context: Context, sign_in: AuthSession, now: dt.datetime
) -> tuple[Tokens, AccessClaims]:
    """The next pair of tokens of a sign-in."""
    secret = new_secret()
    session.add(
        RefreshToken(
            sign_in_id=sign_in.id, token_sha256=digest(secret), issued_at=now, expires_at=now + REFRESH_LIFETIME
        )
    )
    access = context.services.tokens.sign(sign_in.user_id, sign_in.role, sign_in.id)
    return Tokens(access, secret), context.services.tokens.verify(access)


async def set_viewer(context: Context, claims: AccessClaims) -> None:
    """From here on the operation is that viewer's, so that the payload can show who has signed in."""
    context.claims = claims
    context.invalidate_loaders(await read_viewer(context.services.database, claims))


def account_event(context: Context, user: User, role: Role | None, action: str, now: dt.datetime) -> AuditEvent:
    """The line for what a person does to their own account."""
    return AuditEvent(
        provider_id=user.provider_id,
        at=now,
        actor_id=user.id,
        role=role,
        action=action,
        subject_type="User",
        subject_key=user.id,
        detail={},
        address=context.client.address,
        request_id=context.client.request_id,
    )
