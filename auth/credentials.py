"""Verifies passwords. Every attempt is counted before the check, and too many attempts are rejected."""

import asyncio
import datetime as dt
from weakref import WeakValueDictionary

from auth.auth_sessions import password_hash_of_user
from auth.known_clients import is_device_of, network_mark
from auth.login_candidates import LoginCandidate, login_candidates, replace_password_hash
from auth.login_throttle import (
    Allowance,
    clear_attempt,
    known_client,
    record_attempt,
    session_allowance,
    unknown_client,
)
from auth.passwords import hash_password, passwords_match, same_salt
from auth.second_factor import code_allowance
from auth.tokens import AccessTokens
from auth.viewer import Viewer
from db.database import Database
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import DomainError, reject
from domain.sentences import say

# One attempt at a time for each allowance in this process. Otherwise many correct attempts at once, each counted until
# it succeeds, would reach the limit.
_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def verify_login(
    database: Database, tokens: AccessTokens, *, network: str, username: str, password: str, device_token: str | None
) -> list[LoginCandidate]:
    """Returns the accounts whose username and password these are: at most one at each training provider.

    It is empty, after the same time, if there is none. `network` is that of the client's address. Raises
    TOO_MANY_ATTEMPTS at `input` after 10 wrong passwords in 5 minutes: for the username by all clients that have not
    signed in with it before, or by one that has.
    """
    username = username.strip().lower()
    mark = network_mark(username, network)
    candidates = await login_candidates(database, username, mark, clock.now())
    allowance = _login_allowance(tokens, username, network, mark, device_token, candidates)
    right = await _verify(database, allowance, password, [each.password_hash for each in candidates], "input")
    found = [candidate for candidate, is_right in zip(candidates, right, strict=True) if is_right]
    await _share_salt(database, password, candidates, found)
    return found


async def _share_salt(
    database: Database, password: str, candidates: list[LoginCandidate], found: list[LoginCandidate]
) -> None:
    """Hashes the password again with the salt of the first account. Salts differ only after a change of username."""
    for each in found:
        first = candidates[0].password_hash
        if not same_salt(each.password_hash, first):
            hashed = await hash_password(password, first)
            async with database.writing() as session:
                await replace_password_hash(session, each.user_key, each.password_hash, hashed)


async def verify_viewer_password(database: Database, viewer: Viewer, password: str, *field: str) -> str | None:
    """Returns the stored hash if this is the viewer's own password, and None if it is not.

    Raises TOO_MANY_ATTEMPTS at `field` after 10 wrong ones in 5 minutes in this authentication session. What is tried
    at the login, or in other sessions, does not count.
    """
    stored = await password_hash_of_user(database, viewer.user_key)
    hashes = [] if stored is None else [stored]
    right = await _verify(database, session_allowance(viewer.auth_session_key), password, hashes, *field)
    return stored if any(right) else None


def _login_allowance(
    tokens: AccessTokens,
    username: str,
    network: str,
    mark: str | None,
    device_token: str | None,
    candidates: list[LoginCandidate],
) -> Allowance:
    # Without a candidate the token is checked too, so that the time does not reveal it.
    users = [each.user_key for each in candidates] or [0]
    if device_token is not None and any(is_device_of(tokens, user_key, device_token) for user_key in users):
        return known_client(f"device:{device_token}")
    if mark is not None and any(each.knows_network for each in candidates):
        return known_client(f"network:{mark}")
    return unknown_client(username, network)


async def count_code(database: Database, user_key: int, *field: str) -> list[int]:
    """Counts the check of a second factor's code, before it is checked. Returns the keys for `clear_attempt`.

    Raises TOO_MANY_ATTEMPTS at `field` after 10 wrong codes of the account in 5 minutes.
    """
    return await count_attempt(database, code_allowance(user_key), "TOO_MANY_WRONG_CODES", *field)


async def count_signing_code(database: Database, viewer: Viewer, *field: str) -> list[int]:
    """Counts the check of a code that replaces the viewer's password, as `count_code` does, for the session."""
    return await count_attempt(database, session_allowance(viewer.auth_session_key), "TOO_MANY_WRONG_CODES", *field)


async def count_attempt(database: Database, allowance: Allowance, reason: str, *field: str) -> list[int]:
    """Counts an attempt before it is checked. Returns the keys for `clear_attempt`.

    Raises TOO_MANY_ATTEMPTS at `field` where the allowance is used up, with the sentence for `reason`.
    """
    attempt = await record_attempt(database, allowance, clock.now())
    if isinstance(attempt, dt.timedelta):
        raise _too_many_attempts(attempt, *field, reason=reason)
    return attempt


async def _verify(
    database: Database, allowance: Allowance, password: str, stored: list[str], *field: str
) -> list[bool]:
    async with _locks.setdefault(allowance.own, asyncio.Lock()):
        attempt = await record_attempt(database, allowance, clock.now())
        if isinstance(attempt, dt.timedelta):
            raise _too_many_attempts(attempt, *field)
        # Outside any transaction, because it is slow by design.
        right = await passwords_match(password, stored)
        if any(right):
            async with database.writing() as session:
                await clear_attempt(session, attempt)
    return right


def _too_many_attempts(wait: dt.timedelta, *field: str, reason: str = "TOO_MANY_WRONG_PASSWORDS") -> DomainError:
    seconds = int(wait.total_seconds()) + 1
    return reject(UserErrorCode.TOO_MANY_ATTEMPTS, say(reason, seconds=seconds, count=seconds), *field)
