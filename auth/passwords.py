"""Passwords: argon2id off the event loop, and what makes one acceptable."""

import asyncio
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn

SHORTEST, LONGEST = 8, 256
# 19 MiB, two passes: OWASP's floor for argon2id. Two at once: each takes a core for some 30 ms.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
_CONCURRENT_HASHES = 2
# Checked where there is no such user, so that the answer takes as long.
_UNKNOWN_USER_HASH = _HASHER.hash("nobody has this password")
_slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


async def hash_password(password: str) -> str:
    """The argon2id hash of a password."""
    async with _hashing_slot():
        return await asyncio.to_thread(_HASHER.hash, password)


async def unknown_password() -> str:
    """The hash of a password that nobody knows, for an account whose owner has yet to choose one."""
    return await hash_password(secrets.token_urlsafe(32))


async def password_matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes the same time where `stored` is None, and is then False."""
    if len(password) > LONGEST:
        password = ""  # Never acceptable, so never stored: hashing it costs as much as any other.
    async with _hashing_slot():
        matches = await asyncio.to_thread(_HASHER.verify, password, stored or _UNKNOWN_USER_HASH)
    return matches and stored is not None


def password_weakness(password: str, *own_words: str) -> str | None:
    """A sentence on why a password cannot be taken, or None. `own_words`: the username and name, easily guessed."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    spelled = _spelled(password)
    own = [word for word in map(_spelled, own_words) if len(word) > 3]
    if any(word in spelled and len(word) * 2 > len(spelled) for word in own):
        return "Do not use your own name or username."
    rating = zxcvbn(password[:72], user_inputs=list(own_words))
    if rating["score"] < 2:
        return "This password is easily guessed. Use several words, or something longer."
    return None


def _spelled(words: str) -> str:
    """Letters and digits alone: jay.lister is the name Jay Lister too."""
    return "".join(filter(str.isalnum, words.lower()))


def _hashing_slot() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    if loop not in _slots:
        for closed in [known for known in _slots if known.is_closed()]:
            del _slots[closed]
        _slots[loop] = asyncio.Semaphore(_CONCURRENT_HASHES)
    return _slots[loop]
