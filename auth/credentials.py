"""Verifies passwords. Every attempt is counted before the check, and too many attempts are rejected."""

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

# One attempt at a time for each account in this process. Otherwise many correct attempts at once, each counted until it
# succeeds, would reach the limit.
_account_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def verify_password(database: Database, address: str, username: str, password: str, *field: str) -> bool:
    """Returns whether the password is correct; takes the same time if there is no such account.

    `address` is the client's network address. Raises TOO_MANY_ATTEMPTS at `field` after 10 wrong passwords for the
    account in 5 minutes, from any address.
    """
    account = digest(username.strip().lower())
    async with _account_locks.setdefault(account, asyncio.Lock()):
        attempt = await record_attempt(database, account, address, clock.now())
        if isinstance(attempt, dt.timedelta):
            raise _too_many_attempts(attempt, *field)
        # Outside any transaction, because it is slow by design.
        correct = await password_matches(password, await stored_password_hash(database, username))
        if correct:
            async with database.writing() as session:
                await clear_attempt(session, attempt)
    return correct


def _too_many_attempts(wait: dt.timedelta, *field: str) -> DomainError:
    seconds = int(wait.total_seconds()) + 1
    return reject(UserErrorCode.TOO_MANY_ATTEMPTS, f"Too many wrong passwords. Try again in {seconds} seconds.", *field)
