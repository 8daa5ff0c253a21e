"""Limits login attempts. They are counted in the database, so that the limit spans processes and restarts."""

import datetime as dt

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.auth_session import LoginAttempt

WINDOW = dt.timedelta(minutes=5)
MAX_ATTEMPTS_PER_ACCOUNT = 10
# Higher, because a whole college can share one address.
MAX_ATTEMPTS_PER_ADDRESS = 200


async def record_attempt(database: Database, account: str, address: str, now: dt.datetime) -> list[int] | dt.timedelta:
    """Records an attempt before its password is checked, so that concurrent attempts cannot exceed the limit.

    `account` is the SHA-256 of the username. Returns the keys of the recorded rows, for `clear_attempt`, or how long to
    wait if the limit is reached.
    """
    limits = {f"account:{account}": MAX_ATTEMPTS_PER_ACCOUNT, f"address:{address}": MAX_ATTEMPTS_PER_ADDRESS}
    async with database.writing() as session:
        await _lock(session, database, *limits)
        recent = (
            select(LoginAttempt.subject, func.count(), func.min(LoginAttempt.at))
            .where(LoginAttempt.subject.in_(limits), LoginAttempt.at > now - WINDOW)
            .group_by(LoginAttempt.subject)
        )
        waits = [
            max(_in_utc(oldest) + WINDOW - now, dt.timedelta(seconds=1))
            for subject, count, oldest in await session.execute(recent)
            if count >= limits[subject]
        ]
        if waits:
            return max(waits)
        attempt = insert(LoginAttempt).values([{"subject": subject, "at": now} for subject in limits])
        return list(await session.scalars(attempt.returning(LoginAttempt.id)))


async def clear_attempt(session: AsyncSession, keys: list[int]) -> None:
    """Removes the attempt after a successful login."""
    await session.execute(delete(LoginAttempt).where(LoginAttempt.id.in_(keys)))


async def sweep_attempts(database: Database, now: dt.datetime) -> None:
    """Deletes the attempts that are too old to count."""
    async with database.writing() as session:
        await session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))


async def _lock(session: AsyncSession, database: Database, account: str, address: str) -> None:
    # SQLite has one writer anyway. The order of the locks is fixed, which prevents deadlocks.
    if not database.is_sqlite:
        locks = "select pg_advisory_xact_lock(hashtext(:account)), pg_advisory_xact_lock(hashtext(:address))"
        await session.execute(text(locks), {"account": account, "address": address})


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
