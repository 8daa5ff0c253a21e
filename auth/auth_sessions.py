"""Auth sessions in the database: accounts, refresh tokens, one-time tokens, and the end of a session."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Row, Select, Update, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.cached_statement import cached_statement
from db.database import Database
from db.models.auth_session import AuthSession, OneTimeToken, RefreshToken
from db.models.base import Key
from db.models.provider import Provider
from db.models.user import RoleGrant, User
from domain.enums import Role

# The role of a new auth session if the user has several and names none.
_ROLE_PRIORITY = (
    Role.MASTER_ADMIN, Role.BASIC_ADMIN, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_OVERVIEW, Role.EMPLOYER_MANAGER,
    Role.LEARNER,
)  # fmt: skip


# How long a client that did not get the answer of a refresh can send it again.
REFRESH_RETRY = dt.timedelta(seconds=30)


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


async def account_by_username(session: AsyncSession, username: str, provider_key: int) -> Account | None:
    """Returns a training provider's account with that username, ignoring case; None if there is none active."""
    # unscoped: a command of the operator
    statement = select(User).where(User.provider_id == provider_key, User.username == username.strip().lower())
    return await _account(session, statement)


async def active_users_by_username(session: AsyncSession, username: str) -> list[int]:
    """Returns the keys of the users with that username, ignoring case: one at each of several training providers."""
    # unscoped: runs before the login
    statement = select(User.id).where(User.username == username.strip().lower(), User.archived_at.is_(None))
    return list(await session.scalars(statement.order_by(User.id)))


async def password_hash_of_user(database: Database, user_key: int) -> str | None:
    """Returns the viewer's password hash; None if the account is archived."""
    rows = await database.rows(_password_hash(), {"user": user_key}, primary=True)
    return rows[0].password_hash if rows else None


# Built once: a select that is built for each request is compiled for each.
@cached_statement
def _password_hash() -> Select[str | None]:
    # unscoped: the user is the viewer
    return select(User.password_hash).where(User.id == bindparam("user", type_=Key), User.archived_at.is_(None))


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


@dataclass(frozen=True, slots=True)
class RequestMarks:
    """Digests to distinguish a retry of a refresh by the same client from a replay by another; None if unknown."""

    idempotency_key_sha256: str | None
    network_sha256: str | None

    def matches(self, token: RefreshToken) -> bool:
        """Returns whether the token was used with the same Idempotency-Key or from the same network."""
        pairs = (
            (self.idempotency_key_sha256, token.used_key_sha256),
            (self.network_sha256, token.used_network_sha256),
        )
        return any(mine is not None and mine == theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class RefreshTokenUse:
    """A use of a refresh token: its auth session, when it was used first, and whether this is a retry of that use."""

    auth_session: AuthSession
    used_at: dt.datetime
    repeated: bool


async def use_refresh_token(
    session: AsyncSession, sha256: str, now: dt.datetime, marks: RequestMarks
) -> RefreshTokenUse | None:
    """Marks a refresh token as used; returns None if the token is unknown or no longer valid.

    The caller has locked the user; every transaction locks the user before the auth session, which prevents deadlocks.
    A second use within 30 seconds by the same client is a retry, whose answer was lost. Any other suggests that the
    token was stolen, so it ends the auth session.
    """
    token = await _refresh_token(session, sha256)
    if token is None:
        return None
    repeated = not await _mark_used(session, token, now, marks)
    if repeated:
        await session.refresh(token)
        if not (_retried_in_time(token, now) and marks.matches(token)):
            await end_session(session, token.sign_in_id, now, "refresh token used twice")
            return None
    auth_session = await session.get_one(AuthSession, token.sign_in_id, populate_existing=True)
    active = auth_session.ended_at is None and auth_session.expires_at > now and token.expires_at > now
    used_at = token.used_at if repeated and token.used_at else now
    return RefreshTokenUse(auth_session, used_at, repeated) if active else None


async def exchange_refresh_token(
    session: AsyncSession, sha256: str, auth_session_key: int, now: dt.datetime, marks: RequestMarks
) -> bool:
    """Marks an unused refresh token of one auth session as used; returns False, and changes nothing, for any other."""
    token = await _refresh_token(session, sha256)
    if token is None or token.sign_in_id != auth_session_key or token.expires_at <= now:
        return False
    return await _mark_used(session, token, now, marks)


async def replace_refresh_tokens(session: AsyncSession, auth_session_key: int, now: dt.datetime) -> None:
    """Marks the unused refresh tokens of an auth session as used, because it gets a new one."""
    unused = update(RefreshToken).where(RefreshToken.sign_in_id == auth_session_key, RefreshToken.used_at.is_(None))
    await session.execute(unused.values(used_at=now))


async def is_refresh_token_of(session: AsyncSession, sha256: str, auth_session_key: int) -> bool:
    """Returns whether the auth session has a refresh token with that digest."""
    token = await _refresh_token(session, sha256)
    return token is not None and token.sign_in_id == auth_session_key


async def _refresh_token(session: AsyncSession, sha256: str) -> RefreshToken | None:
    statement = select(RefreshToken).where(RefreshToken.token_sha256 == sha256)
    return (await session.execute(statement)).scalar_one_or_none()


async def _mark_used(session: AsyncSession, token: RefreshToken, now: dt.datetime, marks: RequestMarks) -> bool:
    # Of concurrent uses, the conditional update succeeds for one.
    using = update(RefreshToken).where(RefreshToken.id == token.id, RefreshToken.used_at.is_(None))
    return await _updates_a_row(
        session,
        using.values(
            used_at=now, used_key_sha256=marks.idempotency_key_sha256, used_network_sha256=marks.network_sha256
        ),
    )


def _retried_in_time(token: RefreshToken, now: dt.datetime) -> bool:
    return token.used_at is not None and now - token.used_at <= REFRESH_RETRY


async def owner_of_one_time_token(database: Database, sha256: str, now: dt.datetime, *purposes: str) -> Row[Any] | None:
    """Returns `username`, `name`, `password_hash` and `provider` (its name) of the owner of a one-time token.

    None unless the token is valid for one of the purposes.

    Callers check it first, so that a made-up token costs no password hash.
    """
    statement = (
        select(User.username, User.name, User.password_hash, Provider.name.label("provider"))
        .join(OneTimeToken, OneTimeToken.user_id == User.id)
        .join(Provider, Provider.id == User.provider_id)
        .where(*_valid_token(sha256, now, purposes))
    )
    rows = await database.rows(statement, primary=True)
    return rows[0] if rows else None


def _valid_token(sha256: str, now: dt.datetime, purposes: Collection[str]) -> list[ColumnElement[bool]]:
    return [
        OneTimeToken.token_sha256 == sha256,
        or_(*(OneTimeToken.purpose == purpose for purpose in purposes)),
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > now,
    ]


async def user_of_one_time_token(session: AsyncSession, sha256: str) -> Row[int, str | None] | None:
    """Returns `user_id`, to whom a one-time token was sent, and `new_email`, the address that it confirms, if any.

    None if the token is unknown.
    """
    statement = select(OneTimeToken.user_id, OneTimeToken.new_email).where(OneTimeToken.token_sha256 == sha256)
    return (await session.execute(statement)).first()


async def use_one_time_token(session: AsyncSession, sha256: str, now: dt.datetime, *purposes: str) -> bool:
    """Marks a one-time token as used; returns False if it is unknown, expired, used, or for another purpose.

    The caller has locked its user.
    """
    using = update(OneTimeToken).where(*_valid_token(sha256, now, purposes)).values(used_at=now)
    return await _updates_a_row(session, using)


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
