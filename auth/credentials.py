"""Checking a password that somebody typed: every guess is counted before it is checked, and too many slow down."""

import asyncio
import datetime as dt
from weakref import WeakValueDictionary

from auth.auth_sessions import stored_password_hash
from auth.login_throttle import clear_attempt, record_attempt
from auth.passwords import password_matches
from auth.tokens import digest
from db.database import Database
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import DomainError, reject

# One guess an account at a time in this process: many right ones at once are then never taken for too many wrong ones.
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def verify_password(database: Database, address: str, username: str, password: str, *field: str) -> bool:
    """Whether that is the password of the account of that name; takes as long where there is no such account.

    Refuses with TOO_MANY_ATTEMPTS at `field` after 10 wrong guesses in 5 minutes, whoever made them.
    """
    account = digest(username.strip().lower())
    async with _turns.setdefault(account, asyncio.Lock()):
        reserved = await record_attempt(database, account, address, clock.now())
        if isinstance(reserved, dt.timedelta):
            raise _too_many(reserved, *field)
        # Outside of any transaction: it takes a while, on purpose.
        right = await password_matches(password, await stored_password_hash(database, username))
        if right:
            async with database.writing() as session:
                await clear_attempt(session, reserved)
    return right


def _too_many(wait: dt.timedelta, *field: str) -> DomainError:
    seconds = int(wait.total_seconds()) + 1
    return reject(UserErrorCode.TOO_MANY_ATTEMPTS, f"Too many wrong passwords. Try again in {seconds} seconds.", *field)
