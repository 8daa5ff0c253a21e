"""Checking a password that somebody typed: every guess is counted before it is checked, and too many slow down."""

import asyncio
import datetime as dt
from weakref import WeakValueDictionary

from auth.auth_sessions import stored_password
from auth.login_throttle import forget_guess, reserve_guess
from auth.passwords import is_password
from auth.tokens import digest
from db.database import Database
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import Refused, refuse

# One guess an account at a time in this process: many right ones at once are then never taken for too many wrong ones.
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def verify_password(database: Database, address: str, username: str, password: str, *field: str) -> bool:
    """Whether that is the password of the account of that name; takes as long where there is no such account.

    Refuses with TOO_MANY_ATTEMPTS at `field` after 10 wrong guesses in 5 minutes, whoever made them.
    """
    account = digest(username.strip().lower())
    async with _turns.setdefault(account, asyncio.Lock()):
        reserved = await reserve_guess(database, account, address, clock.now())
        if isinstance(reserved, dt.timedelta):
            raise _too_many(reserved, *field)
        # Outside of any transaction: it takes a while, on purpose.
        right = await is_password(password, await stored_password(database, username))
        if right:
            async with database.writing() as session:
                await forget_guess(session, reserved)
    return right


def _too_many(wait: dt.timedelta, *field: str) -> Refused:
    seconds = int(wait.total_seconds()) + 1
    return refuse(UserErrorCode.TOO_MANY_ATTEMPTS, f"Too many wrong passwords. Try again in {seconds} seconds.", *field)
