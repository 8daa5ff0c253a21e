"""Wrong guesses slow down: counted in the database, so that they count across processes and restarts."""

import datetime as dt

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.auth_session import LoginAttempt

WINDOW = dt.timedelta(minutes=5)
# An account stops listening after 10 wrong guesses in the window; an address, behind which a college may sit, after 200.
MOST_FOR_ACCOUNT = 10
MOST_FOR_ADDRESS = 200


async def record_attempt(database: Database, account: str, address: str, now: dt.datetime) -> list[int] | dt.timedelta:
    """Counts a guess before it is checked, so that 20 at once cannot all slip through.

    Gives the rows to take back with `clear_attempt` when the guess was right, or how long to wait.
    """
    limits = {f"account:{account}": MOST_FOR_ACCOUNT, f"address:{address}": MOST_FOR_ADDRESS}
    async with database.writing() as session:
        await _one_at_a_time(session, database, *limits)
        recent = (
            select(LoginAttempt.subject, func.count(), func.min(LoginAttempt.at))
            .where(LoginAttempt.subject.in_(limits), LoginAttempt.at > now - WINDOW)
            .group_by(LoginAttempt.subject)
        )
        waits = [
            max(_aware(oldest) + WINDOW - now, dt.timedelta(seconds=1))
            for subject, count, oldest in await session.execute(recent)
            if count >= limits[subject]
        ]
        if waits:
            return max(waits)
        noted = insert(LoginAttempt).values([{"subject": subject, "at": now} for subject in limits])
        return list(await session.scalars(noted.returning(LoginAttempt.id)))


async def clear_attempt(session: AsyncSession, rows: list[int]) -> None:
    """The guess was right: it was none."""
    await session.execute(delete(LoginAttempt).where(LoginAttempt.id.in_(rows)))


async def sweep_attempts(database: Database, now: dt.datetime) -> None:
    """Deletes what no longer counts."""
    async with database.writing() as session:
        await session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))


async def _one_at_a_time(session: AsyncSession, database: Database, account: str, address: str) -> None:
    # SQLite has one writer already. Always in this order, so that no two wait for each other.
    if not database.is_sqlite:
        locks = "select pg_advisory_xact_lock(hashtext(:account)), pg_advisory_xact_lock(hashtext(:address))"
        await session.execute(text(locks), {"account": account, "address": address})


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
