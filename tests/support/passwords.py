"""Passwords of users in tests."""

from pwdlib.hashers.argon2 import Argon2Hasher


def cheap_hash(password: str) -> str:
    """Returns an argon2 hash that takes no time to verify: the hash names its cost, and the real code reads it."""
    return Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
