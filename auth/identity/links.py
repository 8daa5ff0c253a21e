"""Which person of an identity provider has which account, and the logins that an identity provider has confirmed."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, Select, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tokens import digest
from db.database import Database
from db.models.auth_session import OneTimeToken
from db.models.identity_provider import IdentityLink, IdentityLogin
from db.models.second_factor import SecondFactor
from db.models.user import User

# How long a confirmed login can wait for the code of a second factor.
PROVEN_LIFETIME = dt.timedelta(minutes=10)


async def linked_user(session: AsyncSession, identity_provider_key: int, subject: str) -> int | None:
    """Returns the key of the user who is linked to a person of an identity provider."""
    # unscoped: runs before the login
    statement = select(IdentityLink.user_id).where(
        IdentityLink.identity_provider_id == identity_provider_key, IdentityLink.subject == subject
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def has_link(session: AsyncSession, identity_provider_key: int, user_key: int) -> bool:
    """Returns whether a user is linked to a person of an identity provider. The caller has locked the user."""
    # unscoped: runs before the login
    statement = select(IdentityLink.id).where(
        IdentityLink.user_id == user_key, IdentityLink.identity_provider_id == identity_provider_key
    )
    return (await session.execute(statement)).first() is not None


async def remove_links(session: AsyncSession, identity_provider_key: int, user_key: int | None = None) -> int:
    """Deletes the links of an identity provider and its confirmed logins: of one user, or all. Returns how many."""
    removed = 0
    for table in (IdentityLogin, IdentityLink):
        statement = delete(table).where(table.identity_provider_id == identity_provider_key)
        if user_key is not None:
            statement = statement.where(table.user_id == user_key)
        removed = cast("CursorResult[Any]", await session.execute(statement)).rowcount
    return removed


async def users_of_email(session: AsyncSession, provider_key: int, email: str) -> list[int]:
    """Returns the active users of a training provider who have this e-mail address, or are invited at it.

    Who was invited at a corrected address and has not used the invitation is found by the corrected one alone: somebody
    else may have the first one.
    """
    # unscoped: runs before the login
    corrected = _corrected(User.id).correlate(User).scalar_subquery()
    # unscoped: runs before the login
    statement = select(User.id).where(
        User.provider_id == provider_key,
        User.archived_at.is_(None),
        func.lower(func.coalesce(corrected, User.email)) == email.lower(),
    )
    return list(await session.scalars(statement.limit(2)))


async def corrected_email(session: AsyncSession, user_key: int) -> str | None:
    """Returns the address to which the unused invitation of a user was corrected; None if it was not."""
    return (await session.execute(_corrected(user_key))).scalar_one_or_none()


def _corrected(user_key: Any) -> Select[str | None]:
    # unscoped: runs before the login
    open_invitations = select(OneTimeToken.new_email).where(
        OneTimeToken.user_id == user_key, OneTimeToken.purpose == "invitation", OneTimeToken.used_at.is_(None)
    )
    return open_invitations.order_by(OneTimeToken.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class ProvenLogin:
    """A login that an identity provider has confirmed, with what is still to be checked."""

    key: int
    user_key: int
    proof_sha256: str
    factor_met: bool
    has_second_factor: bool
    is_usable: bool


async def proven_login(database: Database, state: str, now: dt.datetime) -> ProvenLogin | None:
    """Returns the confirmed login that was begun with this state; None if there is none yet."""
    # unscoped: runs before the login
    factor = exists().where(SecondFactor.user_id == IdentityLogin.user_id, SecondFactor.confirmed_at.is_not(None))
    # unscoped: runs before the login
    statement = select(
        IdentityLogin.id, IdentityLogin.user_id, IdentityLogin.proof_sha256, IdentityLogin.factor_met,
        IdentityLogin.expires_at, IdentityLogin.used_at, factor.label("factor"),
    ).where(IdentityLogin.state_sha256 == digest(state))  # fmt: skip
    rows = await database.rows(statement, primary=True)
    if not rows:
        return None
    row = rows[0]
    is_usable = row.used_at is None and row.expires_at > now
    return ProvenLogin(row.id, row.user_id, row.proof_sha256, row.factor_met, bool(row.factor), is_usable)


async def use_proven_login(session: AsyncSession, key: int, now: dt.datetime) -> bool:
    """Uses up a confirmed login. Returns False if it was used before."""
    using = update(IdentityLogin).where(IdentityLogin.id == key, IdentityLogin.used_at.is_(None))
    return cast("CursorResult[Any]", await session.execute(using.values(used_at=now))).rowcount > 0
