"""Password hashes (argon2id, off the event loop) and the rules for new passwords."""

import asyncio
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn

MIN_LENGTH, MAX_LENGTH = 8, 256
# 19 MiB and two passes: OWASP's minimum for argon2id. Two at once: each occupies a core for about 30 ms.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
_CONCURRENT_HASHES = 2
# Verified if there is no such user, so that the response takes the same time.
_UNKNOWN_USER_HASH = _HASHER.hash("nobody has this password")
_slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


async def hash_password(password: str) -> str:
    """Returns the argon2id hash of a password."""
    async with _hashing_slot():
        return await asyncio.to_thread(_HASHER.hash, password)


async def unusable_password_hash() -> str:
    """Returns the hash of a random password, for an account whose owner has not chosen one yet."""
    return await hash_password(secrets.token_urlsafe(32))


async def password_matches(password: str, stored: str | None) -> bool:
    """Returns whether the password matches the stored hash; False, after the same time, if `stored` is None."""
    if len(password) > MAX_LENGTH:
        # No account has such a password, nor an empty one, which costs less to hash.
        password = ""
    async with _hashing_slot():
        matches = await asyncio.to_thread(_HASHER.verify, password, stored or _UNKNOWN_USER_HASH)
    return matches and stored is not None


def password_weakness(password: str, *own_words: str) -> str | None:
    """Returns why a new password is rejected, or None. `own_words`: the username and name, which are easily guessed."""
    if len(password) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    letters = _letters_and_digits(password)
    own = [word for word in map(_letters_and_digits, own_words) if len(word) > 3]
    if any(word in letters and len(word) * 2 > len(letters) for word in own):
        return "Do not use your own name or username."
    rating = zxcvbn(password[:72], user_inputs=list(own_words))
    if rating["score"] < 2:
        return "This password is easily guessed. Use several words, or something longer."
    return None


def _letters_and_digits(text: str) -> str:
    # So that jay.lister is recognised as the name Jay Lister.
    return "".join(filter(str.isalnum, text.lower()))


def _hashing_slot() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    if loop not in _slots:
        for closed in [known for known in _slots if known.is_closed()]:
            del _slots[closed]
        _slots[loop] = asyncio.Semaphore(_CONCURRENT_HASHES)
    return _slots[loop]
