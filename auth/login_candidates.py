"""The accounts of a login, read before its password is checked."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.known_clients import KNOWN_NETWORK
from db.database import Database
from db.models.auth_session import AuthSession
from db.models.provider import Provider
from db.models.second_factor import SecondFactor
from db.models.user import User


@dataclass(frozen=True, slots=True)
class LoginCandidate:
    """An account of a login whose password is still to be checked."""

    user_key: int
    password_hash: str
    knows_network: bool
    has_second_factor: bool
    provider_name: str
    provider_ukprn: str | None


async def login_candidates(
    database: Database, username: str, network_sha256: str | None, now: dt.datetime
) -> list[LoginCandidate]:
    """Returns the active accounts with that username, in lower case: one at each of several training providers."""
    # unscoped: runs before the login
    known = exists().where(
        AuthSession.user_id == User.id,
        AuthSession.network_sha256 == (network_sha256 or ""),
        AuthSession.started_at > now - KNOWN_NETWORK,
    )
    # unscoped: runs before the login
    factor = exists().where(SecondFactor.user_id == User.id, SecondFactor.confirmed_at.is_not(None))
    # unscoped: runs before the login
    statement = (
        select(
            User.id, User.password_hash, known.label("known"), factor.label("factor"), Provider.name, Provider.ukprn
        )
        .join(Provider, Provider.id == User.provider_id)
        .where(User.username == username, User.archived_at.is_(None))
        .order_by(User.id)
    )  # fmt: skip
    rows = await database.rows(statement, primary=True)
    return [
        LoginCandidate(row.id, row.password_hash, bool(row.known), bool(row.factor), row.name, row.ukprn)
        for row in rows
    ]


async def replace_password_hash(session: AsyncSession, user_key: int, old: str, new: str) -> None:
    """Stores another hash of a user's password, unless they have changed it meanwhile."""
    # unscoped: the user signs in
    replacing = update(User).where(User.id == user_key, User.password_hash == old)
    await session.execute(replacing.values(password_hash=new))
