"""Outages: which errors mean that the database cannot work now, and the log of when an outage began and ended.

Every check for an outage uses this module, so that reads, writes, /ready and the change listener agree.
"""

import asyncio
import enum
import errno
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = structlog.get_logger("waymark")

T = TypeVar("T")

MAX_CAUSE_CHARACTERS = 200
# After a line about an outage's begin or end, failures are counted for this long and not logged: requests that began
# during an outage may fail after its end.
_QUIET_SECONDS = 10.0
# Between two attempts of what a stream reads.
_REPEAT_SECONDS = 1.0


class Outage(enum.Enum):
    """What an outage means for the client."""

    # The same request succeeds after the outage.
    UNAVAILABLE = enum.auto()
    # There is no room on the disk.
    STORAGE_FULL = enum.auto()
    # The connection was lost during a commit: only reading the data shows whether the change is saved.
    OUTCOME_UNKNOWN = enum.auto()


class CommitOutcomeUnknown(Exception):
    """The connection was lost after COMMIT was sent: the transaction is committed or rolled back, and nobody knows."""


# SQLSTATEs of PostgreSQL (Appendix A of its manual) and of poolers, by code or class. A code counts before its class.
_SQLSTATES = {
    "08": Outage.UNAVAILABLE,  # connection exception; PgBouncer reports all of its own errors as 08P01
    "25006": Outage.UNAVAILABLE,  # read-only transaction: the server is a standby, or was set to refuse writes
    "25P03": Outage.UNAVAILABLE,  # ended by idle_in_transaction_session_timeout
    "25P04": Outage.UNAVAILABLE,  # ended by transaction_timeout
    "28": Outage.UNAVAILABLE,  # authentication failed: the password is being changed
    "3D000": Outage.UNAVAILABLE,  # no such database: it is being restored
    "40": Outage.UNAVAILABLE,  # conflict with another transaction, or with the replay on a standby
    "53": Outage.UNAVAILABLE,  # insufficient resources, such as 53300 too many connections
    "53100": Outage.STORAGE_FULL,
    "55000": Outage.UNAVAILABLE,  # not in the state that is needed: a standby that is being promoted
    "55P03": Outage.UNAVAILABLE,  # no lock within lock_timeout
    "57": Outage.UNAVAILABLE,  # operator intervention: statement_timeout, shutdown, crash, cannot connect now
    "58": Outage.UNAVAILABLE,  # an error of the operating system, such as 58030 input/output error
    "58P01": None,  # an undefined file: a defect of the installation
    "72000": Outage.UNAVAILABLE,  # snapshot too old
}  # fmt: skip
# After these the server has closed the connection, or it must not be used again: a server that refuses writes may have
# been replaced, and a new connection finds the new one.
_LOST = ("08", "25006", "25P03", "25P04", "57P")
_NETWORK_ERRORS = {
    errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.EHOSTUNREACH, errno.ENETUNREACH,
    errno.EHOSTDOWN, errno.ENETDOWN, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE, errno.ENOTCONN, errno.ESTALE,
}  # fmt: skip
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT}
# SQLite reports these as OperationalError too, but they are defects of the statement and no outage.
_STATEMENT_DEFECTS = (
    "no such table", "no such column", "syntax error", "has no column", "unrecognized token", "no such function",
)  # fmt: skip


def outage_of(error: BaseException | None) -> Outage | None:
    """Returns what outage of the database, the network or the disk an exception or its cause is; None if it is none."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        outage = _outage(error)
        if outage is not None or isinstance(error, DBAPIError):
            return outage
        error = error.__cause__ or getattr(error, "original_error", None)
    return None


def _outage(error: BaseException) -> Outage | None:
    if isinstance(error, CommitOutcomeUnknown):
        return Outage.OUTCOME_UNKNOWN
    if isinstance(error, DBAPIError):
        if sqlstate := sqlstate_of(error):
            return _of_sqlstate(sqlstate)
        text = str(error.orig)
        if "is full" in text or "No space left" in text:
            return Outage.STORAGE_FULL
        away = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return Outage.UNAVAILABLE if away and not any(words in text for words in _STATEMENT_DEFECTS) else None
    if isinstance(error, asyncpg.PostgresError):
        return _of_sqlstate(error.sqlstate or "")
    if isinstance(error, PoolTimeout | ConnectionError | asyncio.TimeoutError):
        return Outage.UNAVAILABLE
    if isinstance(error, OSError):
        if error.errno in _DISK_ERRORS:
            return Outage.STORAGE_FULL
        return Outage.UNAVAILABLE if error.errno in _NETWORK_ERRORS else None
    return None


def _of_sqlstate(sqlstate: str) -> Outage | None:
    return _SQLSTATES[sqlstate] if sqlstate in _SQLSTATES else _SQLSTATES.get(sqlstate[:2])


async def through_outages(work: Callable[[], Awaitable[T]]) -> T:
    """Returns what `work` returns, repeated for as long as it meets an outage: for streams, which outlast outages."""
    while True:
        try:
            return await work()
        except Exception as error:
            if outage_of(error) is None:
                raise
        await asyncio.sleep(_REPEAT_SECONDS)


def sqlstate_of(error: BaseException) -> str | None:
    """Returns the SQLSTATE of a database error; None if it has none."""
    return getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)


def loses_connection(sqlstate: str | None) -> bool:
    """Returns whether the connection of an error with that SQLSTATE must not be used again."""
    return sqlstate is not None and sqlstate.startswith(_LOST)


def is_away(error: BaseException) -> bool:
    """Returns whether the database itself is away or overloaded, and not just one statement slow or in conflict."""
    sqlstate = sqlstate_of(error) or ""
    return outage_of(error) is Outage.UNAVAILABLE and not sqlstate.startswith(("40", "57014", "55"))


def cause_of(error: BaseException) -> str:
    """Returns the cause of an outage in one short line, for the log. Only the texts of outages hold no data."""
    if isinstance(error, BaseExceptionGroup):
        return cause_of(error.exceptions[0])
    original: Any = error.orig if isinstance(error, DBAPIError) else error
    # SQLAlchemy wraps the driver's exception once more, in one whose text begins with its class.
    if not isinstance(original, TimeoutError):
        original = original.__cause__ or original
    name, sqlstate = type(original).__name__, getattr(original, "sqlstate", None)
    lines = (str(original) or ("no answer in time" if isinstance(original, TimeoutError) else "")).split("\n", 1)
    return " ".join(filter(None, (name, sqlstate, lines[0])))[:MAX_CAUSE_CHARACTERS]


class OutageLog:
    """Logs once when a part of the installation fails and once when it works again.

    `name` begins the events: `database_unavailable` and `database_available`. `fields` go into both lines.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic, **fields: Any) -> None:
        self._name = name
        self._fields = fields
        self._clock = clock
        # When the outage began, in seconds of the clock; None while there is none.
        self.since: float | None = None
        self.cause: str | None = None
        # How many outages began since the process started.
        self.count = 0
        self._failures = 0
        self._is_logged = False
        self._logged_at: float | None = None

    def failed(self, error: BaseException | str, **fields: Any) -> None:
        """Notes a failure, and logs the first of an outage. `error`: an exception, or the cause in words."""
        now = self._clock()
        self._failures += 1
        if self.since is None:
            self.since = now
            self.count += 1
        if self._is_logged or (self._logged_at is not None and now - self._logged_at < _QUIET_SECONDS):
            return
        self._is_logged, self._logged_at = True, now
        self.cause = error if isinstance(error, str) else cause_of(error)
        log.warning(f"{self._name}_unavailable", cause=self.cause, **self._fields, **fields)

    def worked(self) -> None:
        """Notes a success, and logs the end of an outage whose beginning was logged."""
        if self.since is None:
            return
        seconds = round(self._clock() - self.since, 1)
        if self._is_logged:
            self._logged_at = self._clock()
            log.info(f"{self._name}_available", outage_seconds=seconds, failures=self._failures, **self._fields)
        self.since, self._is_logged, self._failures = None, False, 0
