"""Password hashes (argon2id, off the event loop) and the rules for new passwords."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from auth.password_words import named_words
from db.worker_process import WorkerPool, lower_priority
from domain.sentences import say

MIN_LENGTH, MAX_LENGTH = 8, 256
# 19 MiB and two passes: OWASP's minimum for argon2id.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
# Verified if there is no such user, so that the response takes the same time.
_UNKNOWN_USER_HASH = _HASHER.hash("nobody has this password")
_EASILY_GUESSED = say("PASSWORD_EASILY_GUESSED")


# Threads of their own, which nothing else can occupy. Two: each hash occupies a core for about 30 ms.
_hashing = ThreadPoolExecutor(2, "hashing", initializer=lower_priority)
_rating = WorkerPool("auth.password_rating:is_easily_guessed")
# By username and name: the locks of the accounts whose passwords are being rated.
_accounts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def hash_password(password: str) -> str:
    """Returns the argon2id hash of a password."""
    return await _in_thread(_HASHER.hash, password)


async def unusable_password_hash() -> str:
    """Returns the hash of a random password, for an account whose owner has not chosen one yet."""
    return await hash_password(secrets.token_urlsafe(32))


async def password_matches(password: str, stored: str | None) -> bool:
    """Returns whether the password matches the stored hash; False, after the same time, if `stored` is None."""
    if len(password) > MAX_LENGTH:
        # No account has such a password, nor an empty one, which costs less to hash.
        password = ""
    matches = await _in_thread(_HASHER.verify, password, stored or _UNKNOWN_USER_HASH)
    return matches and stored is not None


async def password_weakness(password: str, *own_words: str, provider: str = "") -> str | None:
    """Returns why a new password is rejected, or None.

    `own_words`: the username and name of its owner; `provider`: the name of their training provider.

    Raises WorkerFailed where the password could not be rated.
    """
    if broken := _broken_rule(password, *own_words, provider=provider):
        return broken
    # One at a time for each account: the requests of one never fill the queue of the worker process.
    async with _accounts.setdefault("\n".join(own_words), asyncio.Lock()):
        return _EASILY_GUESSED if await _rating.call(password, [*own_words, provider]) else None


def password_weakness_here(password: str, *own_words: str, provider: str = "") -> str | None:
    """As `password_weakness`, in this process, for commands: it takes up to a second."""
    # Only here: a server process needs none of its dictionaries.
    from auth.password_rating import is_easily_guessed

    broken = _broken_rule(password, *own_words, provider=provider)
    if broken is None and is_easily_guessed(password, [*own_words, provider]):
        return _EASILY_GUESSED
    return broken


def _broken_rule(password: str, *own_words: str, provider: str) -> str | None:
    if len(password) < MIN_LENGTH:
        return say("PASSWORD_TOO_SHORT", least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        return say("PASSWORD_TOO_LONG", most=MAX_LENGTH)
    return named_words(password, own_words, provider)


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_hashing, function, *arguments)
