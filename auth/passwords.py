"""Password hashes (argon2id, off the event loop) and the rules for new passwords."""

import asyncio
import base64
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from auth.password_words import named_words
from db.priority import lower_priority
from db.worker_process import WorkerPool
from domain.sentences import say

MIN_LENGTH, MAX_LENGTH = 8, 256
# 19 MiB and two passes: OWASP's minimum for argon2id.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
# KiB times passes, eight times ours, and threads: what the hash of a password may cost.
_MOST_COST, _MOST_THREADS = 8 * 2 * 19 * 1024, 4
_COSTS = re.compile(r"\$m=(\d{1,15}),t=(\d{1,15}),p=(\d{1,15})\$", re.ASCII)
# Of argon2.
_LEAST_SALT_BYTES = 8
# Verified if there is no such user, so that the response takes the same time.
_UNKNOWN_USER_HASH = _HASHER.hash("nobody has this password")
_EASILY_GUESSED = say("PASSWORD_EASILY_GUESSED")


# Threads of their own, which nothing else can occupy. Two: each hash occupies a core for about 30 ms.
_hashing = ThreadPoolExecutor(2, "hashing", initializer=lower_priority)
_rating = WorkerPool("auth.password_strength:is_easily_guessed")
# By username and name: the locks of the accounts whose passwords are being rated.
_accounts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def hash_password(password: str, like: str | None = None) -> str:
    """Returns the argon2id hash of a password, with the salt of `like`, another hash of the same username, if given.

    All accounts of one username, at several training providers, have one salt: a login then computes one hash, however
    many accounts there are, and its time reveals nothing.
    """
    return await _in_thread(lambda: _HASHER.hash(password, salt=_salt(like)))


async def unusable_password_hash(like: str | None = None) -> str:
    """Returns the hash of a random password, for an account whose owner has not chosen one yet."""
    return await hash_password(secrets.token_urlsafe(32), like)


async def passwords_match(password: str, stored: Sequence[str]) -> list[bool]:
    """Returns for each of the stored hashes whether the password matches it. No hash takes the time of one."""
    if len(password) > MAX_LENGTH:
        # No account has such a password, nor an empty one, which costs less to hash.
        password = ""
    return await _in_thread(_matches, password, stored)


def same_salt(one: str, other: str) -> bool:
    """Returns whether one computation compares a password with both hashes."""
    return _prefix(one) == _prefix(other)


def _matches(password: str, stored: Sequence[str]) -> list[bool]:
    computed: dict[str, str] = {}
    found = []
    for each in stored or [_UNKNOWN_USER_HASH]:
        if _parameters(each) != _parameters(_UNKNOWN_USER_HASH):
            found.append(_matches_other(password, each))
            continue
        if _prefix(each) not in computed:
            computed[_prefix(each)] = _HASHER.hash(password, salt=_salt(each))
        found.append(hmac.compare_digest(computed[_prefix(each)], each))
    return found if stored else []


def _matches_other(password: str, stored: str) -> bool:
    """Returns whether a hash with other parameters matches; False for one that costs much more, or is none.

    A hash of a provider from another installation could take all memory, or hours, at each login to that username.
    """
    found = _COSTS.search(stored)
    if found is None:
        return False
    memory, passes, threads = map(int, found.groups())
    try:
        return memory * passes <= _MOST_COST and threads <= _MOST_THREADS and _HASHER.verify(password, stored)
    except UnknownHashError:
        return False


def _prefix(stored: str) -> str:
    """Returns the parameters and the salt of a hash such as $argon2id$v=19$m=19456,t=2,p=1$salt$hash."""
    return stored.rpartition("$")[0]


def _parameters(stored: str) -> str:
    return _prefix(_prefix(stored))


def _salt(stored: str | None) -> bytes | None:
    if stored is None or _parameters(stored) != _parameters(_UNKNOWN_USER_HASH):
        return None
    try:
        text = _prefix(stored).rpartition("$")[2]
        salt = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None
    return salt if len(salt) >= _LEAST_SALT_BYTES else None


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
    from auth.password_strength import is_easily_guessed

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
