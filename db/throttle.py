"""Wrong guesses slow down: counted in the database, so that they count across processes and restarts."""

import datetime as dt

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.sign_in import WrongGuess

WINDOW = dt.timedelta(minutes=5)
# An account stops listening after 10 wrong guesses in the window; an address, behind which a college may sit, after 200.
MOST_FOR_ACCOUNT = 10
MOST_FOR_ADDRESS = 200


async def reserve_guess(database: Database, account: str, address: str, now: dt.datetime) -> list[int] | dt.timedelta:
    """Counts a guess before it is checked, so that 20 at once cannot all slip through.

    Gives the rows to take back with `forget_guess` when the guess was right, or how long to wait.
    """
    limits = ((f"account:{account}", MOST_FOR_ACCOUNT), (f"address:{address}", MOST_FOR_ADDRESS))
    async with database.writing() as session:
        rows = []
        for subject, most in limits:
            await _one_at_a_time(session, database, subject)
            recent = select(func.count(), func.min(WrongGuess.at)).where(
                WrongGuess.subject == subject, WrongGuess.at > now - WINDOW
            )
            count, oldest = (await session.execute(recent)).one()
            if count >= most:
                return max(_aware(oldest) + WINDOW - now, dt.timedelta(seconds=1))
            rows.append(WrongGuess(subject=subject, at=now))
        session.add_all(rows)
        await session.flush()
        return [row.id for row in rows]


async def forget_guess(session: AsyncSession, rows: list[int]) -> None:
    """The guess was right: it was none."""
    await session.execute(delete(WrongGuess).where(WrongGuess.id.in_(rows)))


async def sweep_guesses(database: Database, now: dt.datetime) -> None:
    """Deletes what no longer counts."""
    async with database.writing() as session:
        await session.execute(delete(WrongGuess).where(WrongGuess.at < now - WINDOW))


async def _one_at_a_time(session: AsyncSession, database: Database, subject: str) -> None:
    # SQLite has one writer already.
    if not database.is_sqlite:
        await session.execute(text("select pg_advisory_xact_lock(hashtext(:subject))"), {"subject": subject})


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
