"""Signing in and out, as the database sees it: sign-ins begun, refreshed once, and ended."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.auth_session import AuthSession, OneTimeToken, RefreshToken
from db.models.user import RoleGrant, User
from domain.enums import Role

# Which role a login with several acts as, unless it says: the one that the most work is done in.
_FIRST = (
    Role.MASTER_ADMIN, Role.BASIC_ADMIN, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_OVERVIEW, Role.EMPLOYER_MANAGER,
    Role.LEARNER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """A login with the roles it holds."""

    user: User
    roles: frozenset[Role]

    def role(self, wanted: Role | None) -> Role | None:
        """The role to act as: the one asked for, if held; else the first of those held."""
        if wanted is not None:
            return wanted if wanted in self.roles else None
        return next((role for role in _FIRST if role in self.roles), None)


async def account_by_username(session: AsyncSession, username: str) -> Account | None:
    """The account with that username, in any case; None where there is none or it is archived."""
    # unscoped: nobody is signed in yet
    return await _account(session, select(User).where(User.username == username.strip().lower()))


async def stored_password_hash(database: Database, username: str) -> str | None:
    """The hash of the account with that username; None where there is none or it is archived."""
    # unscoped: nobody is signed in yet
    statement = select(User.password_hash).where(User.username == username.strip().lower(), User.archived_at.is_(None))
    rows = await database.rows(statement, primary=True)
    return rows[0].password_hash if rows else None


async def account_by_user(session: AsyncSession, user_key: int) -> Account | None:
    """The account of a user, locked; None where it is archived."""
    # unscoped: the user is the one who is signed in, or whose one-time link was opened
    return await _account(session, select(User).where(User.id == user_key).with_for_update(key_share=True))


async def _account(session: AsyncSession, statement: object) -> Account | None:
    user = (await session.execute(statement)).scalar_one_or_none()  # type: ignore[call-overload]
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
    but: int | None = None,
) -> None:
    """Ends a user's sign-ins: all, those in one role, or all `but` one."""
    ending = update(AuthSession).where(AuthSession.user_id == user_key, AuthSession.ended_at.is_(None))
    if role is not None:
        ending = ending.where(AuthSession.role == role)
    if but is not None:
        ending = ending.where(AuthSession.id != but)
    await session.execute(ending.values(ended_at=now, end_reason=reason))


async def end_session(session: AsyncSession, auth_session_key: int, now: dt.datetime, reason: str) -> None:
    """Ends one sign-in with every token that came from it."""
    ending = update(AuthSession).where(AuthSession.id == auth_session_key, AuthSession.ended_at.is_(None))
    await session.execute(ending.values(ended_at=now, end_reason=reason))


async def record_last_write(session: AsyncSession, auth_session_key: int, now: dt.datetime) -> None:
    """With what somebody writes goes when: until a replica has it they read from the primary, through every process."""
    await session.execute(update(AuthSession).where(AuthSession.id == auth_session_key).values(last_write_at=now))


async def use_refresh_token(session: AsyncSession, sha256: str, now: dt.datetime) -> AuthSession | None:
    """Uses a refresh token up and gives its sign-in; None where it is unknown, too old, or its sign-in has ended.

    The user is locked already: whoever takes something away from them locks in that order too. Of 20 who use it at once
    one wins. Using it again is a sign of theft, and ends the sign-in for whoever holds it.
    """
    token = (
        await session.execute(select(RefreshToken).where(RefreshToken.token_sha256 == sha256))
    ).scalar_one_or_none()
    if token is None:
        return None
    # A conditional update decides, on both databases: who finds it used comes second.
    using = update(RefreshToken).where(RefreshToken.id == token.id, RefreshToken.used_at.is_(None)).values(used_at=now)
    if not (await session.execute(using)).rowcount:
        await end_session(session, token.sign_in_id, now, "refresh token used twice")
        return None
    sign_in = await session.get_one(AuthSession, token.sign_in_id, populate_existing=True)
    alive = sign_in.ended_at is None and sign_in.expires_at > now and token.expires_at > now
    return sign_in if alive else None


async def token_is_valid(database: Database, sha256: str, now: dt.datetime) -> bool:
    """Whether a link's token is there, in time and not used; asked before any work is done for whoever sends one."""
    statement = select(OneTimeToken.id).where(
        OneTimeToken.token_sha256 == sha256, OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > now
    )
    return bool(await database.rows(statement, primary=True))


async def use_one_time_token(session: AsyncSession, sha256: str, now: dt.datetime) -> OneTimeToken | None:
    """Uses a link's token up; None where it is unknown, too old, or was used."""
    using = (
        update(OneTimeToken)
        .where(OneTimeToken.token_sha256 == sha256, OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > now)
        .values(used_at=now)
    )
    if not (await session.execute(using)).rowcount:
        return None
    return (await session.execute(select(OneTimeToken).where(OneTimeToken.token_sha256 == sha256))).scalar_one()


async def session_of_token(session: AsyncSession, sha256: str) -> AuthSession | None:
    """The sign-in that a refresh token belongs to, used or not."""
    statement = select(AuthSession).join(RefreshToken).where(RefreshToken.token_sha256 == sha256)
    return (await session.execute(statement)).scalar_one_or_none()


async def recent_one_time_tokens(session: AsyncSession, user_key: int, since: dt.datetime) -> int:
    """How many links were asked for since, so that nobody's mailbox is flooded."""
    counted = select(func.count()).where(OneTimeToken.user_id == user_key, OneTimeToken.issued_at > since)
    return (await session.execute(counted)).scalar_one()
