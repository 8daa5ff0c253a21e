"""Limits wrong passwords. They are counted in the database, so that the limit spans processes and restarts.

Who guesses from elsewhere locks nobody out: a client that has signed in to the account before has an allowance of its
own, and so has each authentication session in which somebody signs.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tokens import digest
from db.database import Database
from db.models.auth_session import LoginAttempt

WINDOW = dt.timedelta(minutes=5)
# For each account by clients that it does not know, for each client that it knows, and for each session.
MAX_ATTEMPTS = 10
# After so many from one network, which a whole college can share, a client there that an account does not know has
# fewer attempts at it. Nobody who is right is refused for what others tried.
BUSY_NETWORK_ATTEMPTS = 200
MAX_ATTEMPTS_FROM_BUSY_NETWORK = 3


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where an attempt counts. `own` has 10; `shared`, if given, has 3 while the `network` is busy."""

    own: str
    shared: str | None = None
    network: str | None = None

    @property
    def subjects(self) -> list[str]:
        return [subject for subject in (self.own, self.shared, self.network) if subject is not None]


def known_client(mark: str) -> Allowance:
    """The allowance of a device or a network that has signed in to the account before."""
    return Allowance(f"client:{digest(mark)}")


def unknown_client(username: str, network: str) -> Allowance:
    """The allowance of all others at an account, which need not exist."""
    account = digest(username)
    return Allowance(f"account:{account}", f"pair:{digest(f'{account}:{network}')}", f"address:{network}")


def session_allowance(auth_session_key: int) -> Allowance:
    """The allowance of a signed-in user who has to type the password, in one authentication session."""
    return Allowance(f"session:{auth_session_key}")


async def record_attempt(database: Database, allowance: Allowance, now: dt.datetime) -> list[int] | dt.timedelta:
    """Records an attempt before its password is checked, so that concurrent attempts cannot exceed the limit.

    Returns the keys of the recorded rows, for `clear_attempt`, or how long to wait if the limit is reached.
    """
    async with database.writing() as session:
        await _lock(session, database, allowance.own)
        recent = (
            select(LoginAttempt.subject, func.count(), func.min(LoginAttempt.at))
            .where(LoginAttempt.subject.in_(allowance.subjects), LoginAttempt.at > now - WINDOW)
            .group_by(LoginAttempt.subject)
        )
        found = {subject: (count, oldest) for subject, count, oldest in await session.execute(recent)}
        limits = {allowance.own: MAX_ATTEMPTS}
        busy, _ = found.get(allowance.network or "", (0, None))
        if allowance.shared is not None and busy >= BUSY_NETWORK_ATTEMPTS:
            limits[allowance.shared] = MAX_ATTEMPTS_FROM_BUSY_NETWORK
        waits = [
            max(_in_utc(oldest) + WINDOW - now, dt.timedelta(seconds=1))
            for subject, (count, oldest) in found.items()
            if subject in limits and count >= limits[subject]
        ]
        if waits:
            return max(waits)
        attempt = insert(LoginAttempt).values([{"subject": subject, "at": now} for subject in allowance.subjects])
        return list(await session.scalars(attempt.returning(LoginAttempt.id)))


async def clear_attempt(session: AsyncSession, keys: list[int]) -> None:
    """Removes the attempt after a successful login."""
    await session.execute(delete(LoginAttempt).where(LoginAttempt.id.in_(keys)))


async def _lock(session: AsyncSession, database: Database, subject: str) -> None:
    # SQLite has one writer anyway.
    if not database.is_sqlite:
        await session.execute(text("select pg_advisory_xact_lock(hashtext(:subject))"), {"subject": subject})


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
