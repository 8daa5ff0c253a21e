"""Auth sessions in the database: accounts, refresh tokens, one-time tokens, and the end of a session."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, Select, Update, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.auth_session import AuthSession, OneTimeToken, RefreshToken
from db.models.user import RoleGrant, User
from domain.enums import Role

# The role of a new auth session if the user has several and names none.
_ROLE_PRIORITY = (
    Role.MASTER_ADMIN, Role.BASIC_ADMIN, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_OVERVIEW, Role.EMPLOYER_MANAGER,
    Role.LEARNER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the roles that are granted to them."""

    user: User
    roles: frozenset[Role]

    def role(self, requested: Role | None) -> Role | None:
        """Returns the requested role, or the first by priority if none is requested; None if it is not granted."""
        if requested is not None:
            return requested if requested in self.roles else None
        return next((role for role in _ROLE_PRIORITY if role in self.roles), None)


async def account_by_username(session: AsyncSession, username: str) -> Account | None:
    """Returns the account with that username, ignoring case; None if there is none or it is archived."""
    # unscoped: runs before the login
    return await _account(session, select(User).where(User.username == username.strip().lower()))


async def stored_password_hash(database: Database, username: str) -> str | None:
    """Returns the password hash of the account with that username; None if there is none or it is archived."""
    # unscoped: runs before the login
    statement = select(User.password_hash).where(User.username == username.strip().lower(), User.archived_at.is_(None))
    rows = await database.rows(statement, primary=True)
    return rows[0].password_hash if rows else None


async def account_by_user(session: AsyncSession, user_key: int) -> Account | None:
    """Returns a user's account and locks it; None if it is archived."""
    # unscoped: the user is the viewer, or the owner of the one-time token
    return await _account(session, select(User).where(User.id == user_key).with_for_update(key_share=True))


async def _account(session: AsyncSession, statement: Select[User]) -> Account | None:
    user = (await session.execute(statement)).scalar_one_or_none()
    if user is None or user.archived_at is not None:
        return None
    roles = await session.execute(select(RoleGrant.role).where(RoleGrant.user_id == user.id))
    return Account(user, frozenset(roles.scalars()))


async def end_sessions(
    session: AsyncSession,
    user_key: int,
    now: dt.datetime,
    reason: str,
    *,
    role: Role | None = None,
    except_key: int | None = None,
) -> None:
    """Ends a user's auth sessions: all, those in one role, or all except one."""
    ending = update(AuthSession).where(AuthSession.user_id == user_key, AuthSession.ended_at.is_(None))
    if role is not None:
        ending = ending.where(AuthSession.role == role)
    if except_key is not None:
        ending = ending.where(AuthSession.id != except_key)
    await session.execute(ending.values(ended_at=now, end_reason=reason))


async def end_session(session: AsyncSession, auth_session_key: int, now: dt.datetime, reason: str) -> None:
    """Ends one auth session, and with it all of its tokens."""
    ending = update(AuthSession).where(AuthSession.id == auth_session_key, AuthSession.ended_at.is_(None))
    await session.execute(ending.values(ended_at=now, end_reason=reason))


async def record_last_write(session: AsyncSession, auth_session_key: int, now: dt.datetime) -> None:
    """Records the time of the viewer's last write, so that reads skip a replica that lags behind it."""
    await session.execute(update(AuthSession).where(AuthSession.id == auth_session_key).values(last_write_at=now))


async def use_refresh_token(session: AsyncSession, sha256: str, now: dt.datetime) -> AuthSession | None:
    """Marks a refresh token as used and returns its auth session; None if the token is unknown or no longer valid.

    The caller has locked the user; every transaction locks the user before the auth session, which prevents deadlocks.
    A second use suggests that the token was stolen, so it ends the auth session.
    """
    token = (
        await session.execute(select(RefreshToken).where(RefreshToken.token_sha256 == sha256))
    ).scalar_one_or_none()
    if token is None:
        return None
    # Of concurrent uses, the conditional update succeeds for one.
    using = update(RefreshToken).where(RefreshToken.id == token.id, RefreshToken.used_at.is_(None)).values(used_at=now)
    if not await _updates_a_row(session, using):
        await end_session(session, token.sign_in_id, now, "refresh token used twice")
        return None
    auth_session = await session.get_one(AuthSession, token.sign_in_id, populate_existing=True)
    active = auth_session.ended_at is None and auth_session.expires_at > now and token.expires_at > now
    return auth_session if active else None


async def owner_of_one_time_token(database: Database, sha256: str, now: dt.datetime) -> tuple[str, str] | None:
    """Returns the username and name of the owner of a one-time token; None if it is unknown, used or expired.

    Callers check it first, so that a made-up token costs no password hash.
    """
    statement = (
        select(User.username, User.name)
        .join(OneTimeToken, OneTimeToken.user_id == User.id)
        .where(OneTimeToken.token_sha256 == sha256, OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > now)
    )
    rows = await database.rows(statement, primary=True)
    return (rows[0].username, rows[0].name) if rows else None


async def use_one_time_token(session: AsyncSession, sha256: str, now: dt.datetime) -> OneTimeToken | None:
    """Marks a one-time token as used and returns it; None if it is unknown, expired or already used."""
    using = (
        update(OneTimeToken)
        .where(OneTimeToken.token_sha256 == sha256, OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > now)
        .values(used_at=now)
    )
    if not await _updates_a_row(session, using):
        return None
    return (await session.execute(select(OneTimeToken).where(OneTimeToken.token_sha256 == sha256))).scalar_one()


async def session_by_refresh_token(session: AsyncSession, sha256: str) -> AuthSession | None:
    """Returns the auth session of a refresh token, used or unused; None if the token is unknown."""
    statement = select(AuthSession).join(RefreshToken).where(RefreshToken.token_sha256 == sha256)
    return (await session.execute(statement)).scalar_one_or_none()


async def count_recent_one_time_tokens(session: AsyncSession, user_key: int, since: dt.datetime) -> int:
    """Returns how many one-time tokens the user was sent since then; callers limit the number of e-mails with it."""
    count = select(func.count()).where(OneTimeToken.user_id == user_key, OneTimeToken.issued_at > since)
    return (await session.execute(count)).scalar_one()


async def _updates_a_row(session: AsyncSession, statement: Update) -> bool:
    result = cast("CursorResult[Any]", await session.execute(statement))
    return result.rowcount > 0
