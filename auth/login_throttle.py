"""Limits wrong passwords. They are counted in the database, so that the limit spans processes and restarts.

Who guesses from elsewhere locks nobody out: a client that has signed in to the account before has an allowance of its
own, and so has each authentication session in which somebody signs.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Delete, Select, String, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from auth.tokens import digest
from db.cached_statement import cached_statement
from db.database import Database
from db.direct_statements import send
from db.models.auth_session import LoginAttempt
from db.models.base import UtcDateTime
from db.sql.any_of import any_of

_ATTEMPTS = LoginAttempt.__table__.c
WINDOW = dt.timedelta(minutes=5)
# For each account by clients that it does not know, for each client that it knows, and for each session.
MAX_ATTEMPTS = 10
# After so many from one network, which a whole college can share, a client there that an account does not know has
# fewer attempts at it. Nobody who is right is refused for what others tried.
BUSY_NETWORK_ATTEMPTS = 200
MAX_ATTEMPTS_FROM_BUSY_NETWORK = 3


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where an attempt counts. `own` has 10; `shared`, if given, has 3 while the `network` is busy."""

    own: str
    shared: str | None = None
    network: str | None = None

    @property
    def subjects(self) -> list[str]:
        return [subject for subject in (self.own, self.shared, self.network) if subject is not None]


def known_client(mark: str) -> Allowance:
    """The allowance of a device or a network that has signed in to the account before."""
    return Allowance(f"client:{digest(mark)}")


def unknown_client(username: str, network: str) -> Allowance:
    """The allowance of all others at an account, which need not exist."""
    account = digest(username)
    return Allowance(f"account:{account}", f"pair:{digest(f'{account}:{network}')}", f"address:{network}")


def session_allowance(auth_session_key: int) -> Allowance:
    """The allowance of a signed-in user who has to type the password, in one authentication session."""
    return Allowance(f"session:{auth_session_key}")


async def record_attempt(database: Database, allowance: Allowance, now: dt.datetime) -> list[int] | dt.timedelta:
    """Records an attempt before its password is checked, so that concurrent attempts cannot exceed the limit.

    Returns the keys of the recorded rows, for `clear_attempt`, or how long to wait if the limit is reached.
    """
    async with database.writing() as session:
        await _lock(session, database, allowance.own)
        subjects = {"own": allowance.own, "shared": allowance.shared, "network": allowance.network}
        recent = await send(session, _recent(), {**subjects, "since": now - WINDOW})
        found = {row.subject: (row.number, row.oldest) for row in recent}
        limits = {allowance.own: MAX_ATTEMPTS}
        busy, _ = found.get(allowance.network or "", (0, None))
        if allowance.shared is not None and busy >= BUSY_NETWORK_ATTEMPTS:
            limits[allowance.shared] = MAX_ATTEMPTS_FROM_BUSY_NETWORK
        waits = [
            max(_in_utc(oldest) + WINDOW - now, dt.timedelta(seconds=1))
            for subject, (count, oldest) in found.items()
            if subject in limits and count >= limits[subject]
        ]
        if waits:
            return max(waits)
        numbered = {_SUBJECT.format(number): subject for number, subject in enumerate(allowance.subjects)}
        return [row.id for row in await send(session, _adding(len(numbered)), {**numbered, "at": now})]


async def clear_attempt(session: AsyncSession, keys: list[int]) -> None:
    """Removes the attempt after a successful login."""
    await send(session, _clearing(), {"keys": keys})


async def _lock(session: AsyncSession, database: Database, subject: str) -> None:
    # SQLite has one writer anyway.
    if not database.is_sqlite:
        await send(session, _LOCK, {"subject": subject})


# The statements are built once: to build and compile them took longer than to run them.
_SUBJECT = "subject_{}"
_AT = bindparam("at", type_=UtcDateTime)
_LOCK = select(func.pg_advisory_xact_lock(func.hashtext(bindparam("subject", type_=String))))


@cached_statement
def _recent() -> Select[Any]:
    """Selects the attempts of each subject since a moment: how many, and when the first was."""
    subjects = [bindparam(name, type_=String) for name in ("own", "shared", "network")]
    return (
        select(_ATTEMPTS.subject, func.count().label("number"), func.min(_ATTEMPTS.at).label("oldest"))
        .where(_ATTEMPTS.subject.in_(subjects), _ATTEMPTS.at > bindparam("since", type_=UtcDateTime))
        .group_by(_ATTEMPTS.subject)
    )


@cached_statement
def _adding(number: int) -> ReturningInsert[int]:
    """Adds an attempt of so many subjects."""
    rows = [{"subject": bindparam(_SUBJECT.format(each), type_=String), "at": _AT} for each in range(number)]
    return insert(LoginAttempt.__table__).values(rows).returning(_ATTEMPTS.id)


@cached_statement
def _clearing() -> Delete:
    return delete(LoginAttempt.__table__).where(any_of(_ATTEMPTS.id))


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
